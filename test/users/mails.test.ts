import test from 'ava'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { users } from '../../functions/users/contract.js'
import { MailRequest, type MailDocument } from '../../functions/users/mail.model.js'
import { mailWaitMs } from '../../functions/users/mail.rules.js'
import type { CallInput } from '../../platform/contract/contract.js'
import { verifyMailToken, verifyToken } from '../../platform/runtime/tokens.js'
import { until } from '../../proof/support/until.js'
import { mailOf, sentMails } from '../support/mails.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const ada = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
const MINUTE_MS = 60_000

const requests = (system: TestSystem): Promise<MailDocument[]> =>
  system.model(MailRequest).find({}, {}, { hint: '_id_' }).lean()
/** All that were asked for are sent, or need not be. */
const sent = (system: TestSystem) => until(async () => (await requests(system)).every(({ state }) => state === 'SENT'))
const ask = (system: TestSystem, input: CallInput<typeof users.requestPasswordReset>) =>
  system.run(users.requestPasswordReset, input, null)

test('whoever forgot a password sets a new one by mail, once: all sessions from before have ended', async (t) => {
  const page = 'https://shop.example.com/account'
  const system = await createTestSystem(t, { env: { ACCOUNT_PAGE_URL: page } })
  const { user, token: before } = await system.run(users.signUp, ada, null)
  const from = (address: string) => ({ caller: null, requestId: 'r', address })
  const wrong = { email: ada.email, password: 'wrong horse' }
  for (let i = 0; i < 15; i++) {
    await t.throwsAsync(system.call(users.signIn, wrong, from(`10.1.0.${i}`)), { code: 'unauthenticated' })
    system.clock.advance(i < 9 ? 0 : 1000 * 2 ** (i - 9))
  }
  await t.throwsAsync(system.call(users.signIn, wrong, from('10.1.0.1')), { code: 'unauthenticated' })
  const right = { email: ada.email, password: 'battery staple' }
  await t.throwsAsync(system.call(users.signIn, right, from('10.2.0.1')), { code: 'rate_limited' })

  await ask(system, { email: 'ADA@example.com' })
  const { to, subject, token } = await mailOf(system, 1)
  t.like({ to, subject }, { to: ada.email, subject: 'Set a new password' })
  t.true(system.logs.some(({ text }) => String(text).includes(`${page}#resetPassword=${token}`)))
  await t.throwsAsync(verifyToken(token, system.config, system.now()), { code: 'unauthenticated' })

  const input = { token, newPassword: right.password }
  const own = { token, newPassword: ada.email }
  t.is((await system.refused(users.resetPassword, own, null)).code, 'invalid_input')
  const session = await system.call(users.resetPassword, input, from('10.2.0.1'))
  t.is(session.user.version, 1)
  t.is(await roleOf(system, before), null)
  t.is(await roleOf(system, session.token), 'user')
  system.clock.advance(1000)
  await t.throwsAsync(system.call(users.signIn, right, from('10.3.0.1')), { code: 'rate_limited' })
  t.is(
    (await system.call(users.signIn, right, from('10.2.0.1'))).user.id,
    user.id,
    'strangers wait, its owner does not',
  )
  t.is((await system.refused(users.resetPassword, input, null)).code, 'mail_token_invalid', 'once')
})

test('a mail’s token works for an hour, for what it is for, and as long as the account is as it was', async (t) => {
  const system = await createTestSystem(t)
  const { user, token: signedIn } = await system.run(users.signUp, ada, null)
  const me = { userId: user.id, role: 'user' as const }
  const reset = async (nth: number) => {
    await ask(system, { email: ada.email })
    return (await mailOf(system, nth)).token
  }
  const refusal = async (token: string) =>
    (await system.refused(users.resetPassword, { token, newPassword: 'battery staple' }, null)).code

  const old = await reset(1)
  await t.throwsAsync(verifyMailToken(old, 'confirm_email', system.config, system.now()), {
    code: 'mail_token_invalid',
  })
  t.is((await system.refused(users.confirmEmail, { token: old }, null)).code, 'mail_token_invalid')
  for (const other of [signedIn, 'x', `${old}x`]) t.is(await refusal(other), 'mail_token_invalid')
  system.clock.advance(HOUR_MS + 1000)
  t.is(await refusal(old), 'mail_token_invalid', 'expired')

  const outdated = await reset(2)
  await system.run(users.signOutEverywhere, { userId: user.id }, me)
  t.is(await refusal(outdated), 'mail_token_invalid')
  system.clock.advance(HOUR_MS)
  const elsewhere = await reset(3)
  await system.run(users.updateUser, { userId: user.id, version: 0, set: { email: 'new@example.com' } })
  t.is(await refusal(elsewhere), 'mail_token_invalid', 'somebody else may read that mailbox')
})

test('asking for a mail tells nobody which accounts exist, and has to wait, longer each time', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'mails=4' } })
  await system.run(users.signUp, ada, null)
  const mailId = system.newId()
  for (const email of [ada.email, 'nobody@example.com']) {
    t.deepEqual(await ask(system, { mailId, email }), {})
    t.deepEqual(await ask(system, { mailId, email }), {}, 'the same request again')
    const soon = await system.refused(users.requestPasswordReset, { email }, null)
    t.like(soon, { code: 'rate_limited', details: { retryAfterMs: MINUTE_MS } })
  }
  await sent(system)
  t.deepEqual(
    (await sentMails(system)).map(({ to }) => to),
    [ada.email],
  )
  const [one, other] = await requests(system)
  t.deepEqual(Object.keys(one ?? {}).sort(), Object.keys(other ?? {}).sort())
  t.false(JSON.stringify([one, other]).includes('@'), 'no address is kept')

  system.clock.advance(MINUTE_MS)
  await ask(system, { email: ada.email })
  t.like(await system.refused(users.requestPasswordReset, { email: ada.email }, null), {
    details: { retryAfterMs: 2 * MINUTE_MS },
  })
  t.is(mailWaitMs(100), HOUR_MS, 'as long as a token works: strangers keep nobody out')
  await mailOf(system, 2)

  const fromOne = (i: number) =>
    system.call(
      users.requestPasswordReset,
      { email: `nobody${i}@example.com` },
      { caller: null, requestId: `r${i}`, address: 'there' },
    )
  for (let i = 0; i < 4; i++) await fromOne(i)
  await t.throwsAsync(fromOne(4), { code: 'quota_exceeded' })
  await sent(system)
})

test('of many who ask for one mail at once, one is taken in', async (t) => {
  const system = await createTestSystem(t)
  await system.run(users.signUp, ada, null)
  const codes = await Promise.all(
    Array.from({ length: 8 }, () =>
      ask(system, { email: ada.email }).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  t.deepEqual(codes.sort(), ['ok', ...Array<string>(7).fill('rate_limited')])
  await sent(system)
  t.is((await sentMails(system)).length, 1)
})

test('a new e-mail address counts once it is confirmed; it needs the password, and tells of nobody else', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, ada, null)
  const me = { userId: user.id, role: 'user' as const }
  await system.run(users.createUser, { name: 'Taken', email: 'taken@example.com' })
  const change = (email: string, password = ada.password) => ({ email, password })
  const wrong = await system.refused(users.requestEmailChange, change('new@example.com', 'wrong horse'), me)
  t.is(wrong.code, 'unauthenticated')
  t.is((await system.refused(users.requestEmailChange, change('new@example.com'), null)).code, 'unauthenticated')

  t.deepEqual(await system.run(users.requestEmailChange, change('taken@example.com'), me), {})
  await sent(system)
  t.deepEqual(await sentMails(system), [])
  t.deepEqual(await system.run(users.requestEmailChange, change('New@example.com'), me), {})
  const { to, token } = await mailOf(system, 1)
  t.is(to, 'new@example.com')
  t.is((await system.run(users.getUser, { userId: user.id }, me)).email, ada.email)

  t.deepEqual(await system.run(users.confirmEmail, { token }, null), { email: to })
  t.deepEqual(await system.run(users.confirmEmail, { token }, null), { email: to }, 'a lost answer')
  t.like(await system.run(users.getUser, { userId: user.id }, me), { email: to, version: 1 })
  t.is((await system.run(users.signIn, { email: to, password: ada.password }, null)).user.id, user.id)

  await system.run(users.updateUser, { userId: user.id, version: 1, set: { email: 'third@example.com' } })
  t.is((await system.refused(users.confirmEmail, { token }, null)).code, 'mail_token_invalid')
})

test('an address that somebody else took meanwhile is theirs, and a new password ends what was asked before', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, ada, null)
  const me = { userId: user.id, role: 'user' as const }
  const ask = (email: string) => system.run(users.requestEmailChange, { email, password: ada.password }, me)
  await ask('one@example.com')
  const one = await mailOf(system, 1)
  await ask('two@example.com')
  const two = await mailOf(system, 2)
  await system.run(users.createUser, { name: 'Other', email: 'one@example.com' })
  t.is((await system.refused(users.confirmEmail, { token: one.token }, null)).code, 'email_taken')
  await system.run(users.setPassword, { userId: user.id, newPassword: 'battery staple' })
  t.is((await system.refused(users.confirmEmail, { token: two.token }, null)).code, 'mail_token_invalid')
})

test('without a way to send mails there are none: nothing is taken in', async (t) => {
  const system = await createTestSystem(t)
  const without = await createTestSystem(t, { beside: system, env: { NODE_ENV: 'production' } })
  const { user } = await system.run(users.signUp, ada, null)
  t.is((await without.refused(users.requestPasswordReset, { email: ada.email }, null)).code, 'mail_unavailable')
  const change = { email: 'new@example.com', password: ada.password }
  const me = { userId: user.id, role: 'user' as const }
  t.is((await without.refused(users.requestEmailChange, change, me)).code, 'mail_unavailable')
  t.deepEqual(await requests(system), [])
})

test('an SMTP server gets them; what it does not take is sent by recovery, and waits for an admin in the end', async (t) => {
  const got: string[] = []
  const says = { fails: true, refuses: '' }
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: ({ address }, _session, done) =>
      done(address === says.refuses ? Object.assign(new Error('Nobody here'), { responseCode: 550 }) : null),
    onData(stream, _session, done) {
      let text = ''
      stream.on('data', (part: Buffer) => void (text += part.toString()))
      stream.on('end', () => {
        if (!says.fails) got.push(text)
        done(says.fails ? new Error('try again later') : null)
      })
    },
  })
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  const { port } = listener.address() as AddressInfo
  const system = await createTestSystem(t, {
    env: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Our shop <shop@example.com>' },
  })
  await system.run(users.signUp, ada, null)
  const mailId = system.newId()
  await ask(system, { mailId, email: ada.email })
  const failures = async (n: number) => (await requests(system))[0]?.failures === n
  await until(() => failures(1))
  t.like(await system.run(users.recoverMails, {}), { examined: 0 }, 'not so soon')
  for (let i = 2; i <= 15; i++) {
    system.clock.advance(10 * MINUTE_MS)
    t.deepEqual(await system.run(users.recoverMails, {}), { examined: 1, sent: 0, parked: i === 15 ? 1 : 0 })
  }
  t.like(await system.run(users.recoverMails, {}), { examined: 0 })
  const { checks } = await system.run(users.reportStuckTransfers, {}, null)
  t.like(checks[1], { name: 'mails', ok: false, detail: '1 parked, the oldest for 0 ms' })

  says.fails = false
  t.deepEqual(await system.run(users.recoverMails, { mailId }), { examined: 1, sent: 1, parked: 0 })
  t.is((await system.refused(users.recoverMails, { mailId })).code, 'mail_not_found')
  t.is(got.length, 1)
  t.regex(got[0] ?? '', /^From: Our shop <shop@example.com>\r\nTo: ada@example.com\r\nSubject: Set a new password/m)

  // A process that died before it sent its mail.
  const [{ _id }] = (await requests(system)) as [MailDocument]
  const lost = { state: 'PENDING' as const, to: ada.email, failures: 0, parked: false }
  await system.model(MailRequest).updateOne({ _id }, { $set: lost })
  system.clock.advance(10 * MINUTE_MS)
  t.like(await system.run(users.recoverMails, {}), { sent: 1 })

  says.refuses = ada.email
  system.clock.advance(HOUR_MS)
  await ask(system, { email: ada.email })
  await sent(system)
  t.is(got.length, 2, 'what is refused for good is not sent again and again')
})

async function roleOf(system: TestSystem, token: string) {
  const { userId, tokenVersion } = await verifyToken(token, system.config, system.now())
  return (await system.run(users.authenticate, { tokens: [{ userId, tokenVersion }] }, null)).roles[0]
}
