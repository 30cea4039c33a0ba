import test from 'ava'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { users } from '../../functions/users/contract.js'
import { mailOf } from '../support/mails.js'
import { programsOf } from './programs.js'

const json = ({ stdout }: { stdout: string }): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>

test('a user signs up, books, looks at the money, cancels and signs out; an admin sees it', async (t) => {
  const { admin, user, folder } = await programsOf(t)
  const car = json(await admin('--json', 'cars', 'add', 'Blue Beetle', '12.50'))
  t.like(car, { name: 'Blue Beetle', pricePerHour: 1250 })

  t.like(await user('me'), { code: 2, stderr: 'Nobody is signed in: sign-in does that, or --token.\n' })
  t.like(await user('sign-up', 'ada@example.com', '--password', 'correct horse'), {
    code: 0,
    stdout: 'Signed in as ada, user.\n',
  })
  t.is((await stat(join(folder, 'holdfast', 'holdfast-user.json'))).mode & 0o777, 0o600)
  const { id } = json(await user('--json', 'me'))
  t.regex((await admin('deposit', id as string, '100.00')).stdout, /^balance +100\.00$/m)

  const period = ['2031-01-01T10:00+01:00', '2031-01-01T11:00Z']
  const booked = json(await user('--json', 'book', 'car', car['id'] as string, ...period))
  t.like(booked, { state: 'COMMITTED', from: '2031-01-01T09:00:00.000Z', cost: 2500 })
  const list = await user('bookings', 'list')
  t.regex(list.stdout, /^ID +STATE +STANDING +FROM +TO +COST/)
  t.regex(list.stdout, /COMMITTED +active +2031-01-01 09:00 +2031-01-01 11:00 +25\.00/)
  t.regex((await user('ledger')).stdout, /booking .* -25\.00 +75\.00/)
  t.like(json(await admin('--json', 'bookings', 'show', booked['id'] as string)), { userId: id })
  t.regex((await admin('watch', 'booking', booked['id'] as string)).stdout, /^\d\d:\d\d:\d\d {2}state COMMITTED\n$/)

  const taken = await admin(
    'bookings',
    'add',
    '--user-id',
    id as string,
    '--car-id',
    car['id'] as string,
    '--from',
    '2031-01-01T09:00Z',
    '--to',
    '2031-01-01T10:00Z',
  )
  t.is(taken.code, 1)
  t.regex(taken.stderr, /^car_unavailable: /)
  t.is((await user('bookings', 'cancel', booked['id'] as string)).code, 0)
  t.regex((await user('me')).stdout, /^balance +100\.00$/m)
  t.like(await user('sign-out'), { code: 0, stdout: 'Signed out.\n' })
  t.is((await user('me')).code, 2)
})

test('lists come page by page or whole, changes are read again, and mistakes are told before anything is sent', async (t) => {
  const { admin, user, system } = await programsOf(t)
  for (const name of ['One', 'Two', 'Three']) await system.run(users.createUser, { name, email: `${name}@example.com` })
  const [page, all] = await Promise.all([
    admin('users', 'list', '--limit', '2'),
    admin('users', 'list', '--limit', '2', '--all'),
  ])
  t.regex(page.stdout, /There are more: --all, or --cursor \S+\n$/)
  t.is(page.stdout.trim().split('\n').length, 4)
  t.is(all.stdout.trim().split('\n').length, 5)
  const { items } = json(await admin('--json', 'users', 'list', '--query', 'Two')) as { items: { id: string }[] }
  t.regex((await admin('users', 'set', items[0]?.id ?? '', '--name', 'Second')).stdout, /^name +Second$/m)

  const wrong = [
    [['deposit', 'x', '12'], 'Amounts are written with two decimals, as 12.50.'],
    [['cars', 'list', '--from', '2031-01-01'], 'A time says its zone'],
    [['cars', 'lost'], "unknown command 'lost'"],
    [['bookings', 'add'], "required option '--user-id <userId>' not specified"],
  ] as const
  for (const [words, told] of wrong) {
    const { code, stderr } = await admin(...words)
    t.is(code, 2)
    t.true(stderr.includes(told), stderr)
  }
  const invalid = await admin('users', 'show', 'nobody')
  t.is(invalid.code, 1)
  t.regex(invalid.stderr, /^invalid_input: .*userId/)
  t.is((await user('--url', 'http://127.0.0.1:1', 'sign-in', 'ada@example.com', '--password', 'x')).code, 3)
})

test('help names every command, and completion offers what comes next', async (t) => {
  const { admin } = await programsOf(t)
  const [help, group, completion] = await Promise.all([admin('--help'), admin('cars', '--help'), admin('completion')])
  t.is(help.code, 0)
  for (const word of [
    'users',
    'deposit',
    'cars',
    'rooms',
    'trains',
    'tickets',
    'bookings',
    'events',
    'audit',
    'watch',
    'import',
  ])
    t.regex(help.stdout, new RegExp(`^ {2}${word} `, 'm'))
  t.regex(help.stdout, /Exit codes: 0 done/)
  t.regex(group.stdout, /^ {2}add \[options\] <name> <pricePerHour> +puts a car up for booking$/m)
  t.regex(completion.stdout, /^ {4}"cars add"\) words="--car-id --help" ;;$/m)
  t.regex(completion.stdout, /^complete -o default -F _holdfast_admin holdfast-admin$/m)
})

test('passwords and addresses are changed, also when they are forgotten, by the tokens of mails', async (t) => {
  const { user, system } = await programsOf(t)
  await user('sign-up', 'ada@example.com', '--password', 'correct horse')
  const changed = await user('password', 'change', '--password', 'correct horse', '--new-password', 'battery staple')
  t.like(changed, { code: 0, stdout: 'The password is set.\n' })
  t.is((await user('email', 'change', 'ada@example.org', '--password', 'battery staple')).code, 0)
  const confirmed = await user('email', 'confirm', (await mailOf(system, 1)).token)
  t.is(confirmed.stdout, 'The address is ada@example.org.\n')
  t.is((await user('password', 'forgotten', 'ada@example.org')).code, 0)
  const reset = ['password', 'reset', (await mailOf(system, 2)).token, '--new-password', 'correct battery']
  t.like(await user(...reset), { code: 0, stdout: 'The password is set: sign in with it.\n' })
  t.is((await user('me')).code, 2, 'all sessions have ended')
  t.regex((await user(...reset)).stderr, /^mail_token_invalid: /)
})

test('rows of an import that are refused, or that nobody could take, are told', async (t) => {
  const { admin, folder } = await programsOf(t)
  const file = join(folder, 'users.csv')
  await writeFile(file, 'name,email\nAda,ada@example.com\nNobody,not an address\n')
  const refused = await admin('import', 'users', file)
  t.is(refused.code, 1)
  t.regex(refused.stderr, /1 were refused:\nnot an address: invalid_input/)
  await writeFile(file, 'name,email\nAda,ada@example.com\nAda,ADA@example.com\n')
  t.regex((await admin('import', 'users', file)).stderr, /line 3: ADA@example.com stands in line 2 already/)
})
