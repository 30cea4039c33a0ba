import test from 'ava'
import { CallError, connect, newId, signIn, signUp, type Status } from '../../client/src/index.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { until } from '../../proof/support/until.js'
import { startGateway, type TestGateway } from '../gateway/support.js'
import { stageOf } from '../lobbies/support.js'

const urlOf = ({ port }: { port: number }): string => `http://127.0.0.1:${port}`

/** An admin, who is looked up at every request, whose tokens stop working one after the other; `current` works. */
async function renewing(gateway: TestGateway) {
  const { userId } = await gateway.userToken('admin')
  let tokenVersion = 1
  return {
    current: () => signToken({ userId, role: 'admin', tokenVersion }, gateway.config, new Date()),
    revoke: () => void gateway.users.set(userId, { role: 'admin', tokenVersion: ++tokenVersion }),
  }
}

test('calls that are refused together for an old token get one fresh token, and are answered', async (t) => {
  const gateway = await startGateway(t)
  const { current, revoke } = await renewing(gateway)
  let asked = 0
  const holdfast = await connect(urlOf(gateway), { token: () => (asked++, current()) })
  t.teardown(holdfast.close)
  revoke()
  await Promise.all(Array.from({ length: 20 }, () => holdfast.getUser({ userId: newId() })))
  t.is(asked, 2)
  t.is(holdfast.status.state, 'online')
})

test('a token that stops working while nothing is called is replaced, so that feeds go on', async (t) => {
  const gateway = await startGateway(t)
  const { current, revoke } = await renewing(gateway)
  let asked = 0
  const holdfast = await connect(urlOf(gateway), { token: () => (asked++, current()) })
  t.teardown(holdfast.close)
  await holdfast.news().following
  const heard: Status['state'][] = []
  holdfast.onStatus(({ state }) => heard.push(state))
  revoke()
  await until(() => heard.at(-1) === 'online')
  t.is(asked, 2)
  t.deepEqual(heard, ['connecting', 'online'])
})

test('whose token works no more, and who has no other, is signed out: loops and calls end with it', async (t) => {
  const gateway = await startGateway(t)
  const { userId, token } = await gateway.userToken()
  const holdfast = await connect(urlOf(gateway), { token })
  const fixed = holdfast.news()
  await fixed.following
  const asking = await connect(urlOf(gateway), { token: () => token })
  const news = asking.news()
  await news.following
  gateway.users.delete(userId)
  for (const each of [fixed, news]) {
    const error = await t.throwsAsync(
      async () => {
        for await (const entry of each) t.fail(JSON.stringify(entry))
      },
      { instanceOf: CallError },
    )
    t.is((error as CallError).code, 'unauthenticated')
  }
  t.is(holdfast.status.state, 'signedOut')
  t.is(asking.status.state, 'signedOut')
  await t.throwsAsync(holdfast.listCars(), { instanceOf: CallError })
})

test('a token that cannot be had now is asked for again; one that is null signs out', async (t) => {
  const gateway = await startGateway(t)
  const { token } = await gateway.userToken()
  let failures = 2
  const holdfast = await connect(urlOf(gateway), {
    token: () => (failures-- > 0 ? Promise.reject(new Error('no network')) : token),
  })
  t.teardown(holdfast.close)
  await holdfast.getUser({ userId: newId() })

  const nowhere = connect(urlOf(gateway), { token: () => Promise.reject(new Error('no network')), deadlineMs: 300 })
  await t.throwsAsync(nowhere, { message: /no network/ })
  const nobody = await t.throwsAsync(connect(urlOf(gateway), { token: () => null }), { instanceOf: CallError })
  t.is(nobody?.code, 'unauthenticated')
})

test('a wrong password is no reason for a fresh token, and is sent once', async (t) => {
  const gateway = await startGateway(t, {
    answer: ({ requestId }) => ({
      ok: false,
      error: { code: 'unauthenticated', message: 'The old password is wrong.', retryable: false, requestId },
    }),
  })
  const { token } = await gateway.userToken()
  let asked = 0
  const holdfast = await connect(urlOf(gateway), { token: () => (asked++, token) })
  t.teardown(holdfast.close)
  const change = holdfast.changePassword({ oldPassword: 'wrong horse', newPassword: 'correct horse' })
  await t.throwsAsync(change, { message: 'The old password is wrong.' })
  t.is(asked, 1)
  t.is(gateway.calls.length, 1)
})

test('whoever has signed in stays so over tokens that expire, until they sign out', async (t) => {
  const { workers } = await stageOf(t, { env: { SESSION_TOKEN_TTL_MS: '1000' } })
  const account = { email: 'ada@example.com', password: 'correct horse' }
  const { holdfast, user } = await signUp(urlOf(workers[0]), { ...account, name: 'Ada' })
  t.teardown(holdfast.close)
  let renewals = 0
  holdfast.onStatus(({ state }) => (renewals += state === 'online' ? 1 : 0))
  const news = holdfast.news()
  await until(() => renewals === 2, { timeoutMs: 30_000 })
  t.is((await holdfast.getUser({ userId: user.id })).name, 'Ada')
  await holdfast.signOut()
  await t.throwsAsync(
    async () => {
      for await (const entry of news) t.log(entry)
    },
    { instanceOf: CallError },
  )
  t.is(holdfast.status.state, 'signedOut')

  const wrong = signIn(urlOf(workers[0]), { ...account, password: 'wrong horse' })
  t.is((await t.throwsAsync(wrong, { instanceOf: CallError }))?.code, 'unauthenticated')
  const again = await signIn(urlOf(workers[1]), account)
  t.is(again.user.id, user.id)
  again.holdfast.close()
})
