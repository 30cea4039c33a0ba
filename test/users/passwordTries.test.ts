import test from 'ava'
import { users } from '../../functions/users/contract.js'
import { waitAfterMs } from '../../functions/users/passwordTries.changes.js'
import { PasswordTries } from '../../functions/users/passwordTries.model.js'
import type { CallInput, Operation } from '../../platform/contract/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const ada = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
const HOME = '10.0.0.1'
const wrong = { email: ada.email, password: 'wrong horse' }
const right = { email: ada.email, password: ada.password }

/** The code that a call from an address ends with. */
const from = <Op extends Operation>(
  system: TestSystem,
  address: string,
  operation: Op,
  input: CallInput<Op>,
  caller: Caller | null = null,
): Promise<string> =>
  system.call(operation, input, { caller, requestId: 'r', address }).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )

/** Signed up from home. */
async function withAda(system: TestSystem): Promise<Caller> {
  const { user } = await system.call(users.signUp, ada, { caller: null, requestId: 'r', address: HOME })
  return { userId: user.id, role: 'user' }
}

const guess = (system: TestSystem, address: string) => from(system, address, users.signIn, wrong)
const signIn = (system: TestSystem, address: string) => from(system, address, users.signIn, right)

const allLanes = async (system: TestSystem) =>
  (await system.model(PasswordTries).find({}, {}, { hint: '_id_' }).lean()).flatMap(({ lanes }) => lanes)

test('guessers share one growing wait over all addresses, and lock nobody out where they are known', async (t) => {
  const system = await createTestSystem(t)
  await withAda(system)
  for (let i = 1; i <= 10; i++) t.is(await guess(system, `10.1.0.${i}`), 'unauthenticated')
  const { details } = await t.throwsAsync<Error & { details: object }>(
    system.call(users.signIn, wrong, { caller: null, requestId: 'r', address: '10.2.0.1' }),
    { code: 'rate_limited' },
  )
  t.deepEqual(details, { retryAfterMs: 1000 })
  t.is(await signIn(system, '10.1.0.1'), 'rate_limited', 'nobody knows yet whether that is Ada')
  t.is(await signIn(system, HOME), 'ok')
  t.is(await guess(system, HOME), 'unauthenticated', 'who is known has an allowance of its own')

  system.clock.advance(1000)
  t.is(await guess(system, '10.3.0.1'), 'unauthenticated')
  system.clock.advance(1999)
  t.is(await guess(system, '10.3.0.2'), 'rate_limited')
  system.clock.advance(1)
  t.is(await signIn(system, '10.4.0.1'), 'ok', 'from a new address, once it is her turn')
  t.is(await signIn(system, '10.4.0.1'), 'ok', 'which is known from now on')
  t.is(await guess(system, '10.3.0.3'), 'unauthenticated')
  t.is(await guess(system, '10.3.0.4'), 'rate_limited', 'what was wrong before stays counted')
  t.is(await signIn(system, HOME), 'ok')

  system.clock.advance(25 * HOUR_MS)
  for (let i = 1; i <= 10; i++) t.is(await guess(system, '10.5.0.1'), 'unauthenticated', 'forgotten after a day')
  t.is(await guess(system, '10.5.0.1'), 'rate_limited')
})

test('an address that is known has its own wait, too', async (t) => {
  const system = await createTestSystem(t)
  await withAda(system)
  for (let i = 0; i < 10; i++) t.is(await guess(system, HOME), 'unauthenticated')
  t.is(await signIn(system, HOME), 'rate_limited')
  t.is(await guess(system, '10.1.0.1'), 'unauthenticated', 'strangers have theirs')
  system.clock.advance(1000)
  t.is(await signIn(system, HOME), 'ok')
  t.is(await guess(system, HOME), 'unauthenticated')
})

test('the wait doubles up to a quarter of an hour', (t) => {
  t.deepEqual([1, 9, 10, 11, 19, 20, 1e6].map(waitAfterMs), [0, 0, 1000, 2000, 512_000, 900_000, 900_000])
})

test('of however many guesses at once, over all processes, no more are looked at than are free', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  await withAda(system)
  const codes = await Promise.all(Array.from({ length: 200 }, (_, i) => guess(i % 2 ? system : beside, `10.1.${i}.1`)))
  // On a slow machine some wait until their time is up, and count all the same.
  t.deepEqual(
    codes.filter((code) => !['unauthenticated', 'rate_limited', 'deadline_exceeded'].includes(code)),
    [],
  )
  // And some give up before they are counted: then a few tries are left.
  const looked: string[] = codes.filter((code) => code === 'unauthenticated')
  for (let code = ''; code !== 'rate_limited';) {
    code = await guess(system, '10.2.0.1')
    if (code !== 'rate_limited') looked.push(code)
  }
  t.deepEqual(
    looked.filter((code) => code !== 'unauthenticated'),
    [],
  )
  t.true(looked.length <= 10, `${looked.length} were looked at`)
  t.true((await allLanes(system)).some(({ wrong }) => wrong === 10))
  t.is(await signIn(system, HOME), 'ok')
})

test('whoever must wait is refused without a read, and looked at again after a second', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await withAda(system)
  const stranger = '10.1.0.1'
  for (let i = 0; i < 10; i++) await guess(system, stranger)
  system.clock.advance(1000)
  t.is(await guess(system, stranger), 'unauthenticated')
  t.is(await guess(system, stranger), 'rate_limited', 'for two seconds')

  await system.model(PasswordTries).deleteOne({ _id: userId })
  t.is(await guess(system, stranger), 'rate_limited', 'nobody looked')
  system.clock.advance(1000)
  t.is(await guess(system, stranger), 'unauthenticated')
})

test('wherever a password can be tried, it is the same count', async (t) => {
  const system = await createTestSystem(t)
  const caller = await withAda(system)
  const { userId } = caller
  const tries: (() => Promise<string>)[] = [
    () => guess(system, '10.1.0.1'),
    () => from(system, '10.1.0.2', users.changePassword, { oldPassword: 'wrong', newPassword: 'new horse' }, caller),
    () => from(system, '10.1.0.3', users.requestEmailChange, { email: 'eve@example.com', password: 'wrong' }, caller),
    () => from(system, '10.1.0.4', users.signUp, { ...ada, userId, password: 'wrong horse' }),
  ]
  const expected = ['unauthenticated', 'unauthenticated', 'unauthenticated', 'user_id_reused']
  for (let i = 0; i < 8; i++) t.is(await tries[i % 4]?.(), expected[i % 4])
  t.is(await guess(system, '10.1.0.5'), 'unauthenticated')
  t.is(await guess(system, '10.1.0.5'), 'unauthenticated')
  for (const each of tries) t.is(await each(), 'rate_limited')
})

test('addresses that nobody has wait as others do, and what is kept of guesses has an end', async (t) => {
  const system = await createTestSystem(t)
  await withAda(system)
  const nobody = { email: 'nobody@example.com', password: 'wrong horse' }
  for (let i = 0; i < 10; i++) t.is(await from(system, `10.1.0.${i}`, users.signIn, nobody), 'unauthenticated')
  t.is(await from(system, '10.1.0.99', users.signIn, nobody), 'rate_limited')
  for (let i = 0; i < 25; i++) t.is(await signIn(system, `10.6.0.${i}`), 'ok')
  const documents = await system.model(PasswordTries).find({}, {}, { hint: '_id_' }).lean()
  t.deepEqual(documents.map(({ lanes }) => lanes.length).sort(), [1, 21])
  t.regex(String(documents.find(({ lanes }) => lanes.length === 1)?._id), /^unknown:\d{1,4}$/)
  t.false(JSON.stringify(await allLanes(system)).includes('10.'), 'no address can be read')
})
