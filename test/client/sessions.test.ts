import test from 'ava'
import { resume, signIn, signUp, type SessionStore, type SignedIn } from '../../client/src/index.js'
import { users } from '../../functions/users/contract.js'
import { until } from '../../proof/support/until.js'
import { stageOf } from '../lobbies/support.js'

const SIGN_IN = { email: 'ada@example.com', password: 'correct horse' }
const ACCOUNT = { ...SIGN_IN, name: 'Ada' }

/** As localStorage keeps a text; `written` are all that were. */
function memory(): SessionStore & { text: string | null; written: string[] } {
  const store = {
    text: null as string | null,
    written: [] as string[],
    get: () => store.text,
    set(text: string) {
      store.written.push((store.text = text))
    },
    remove: () => void (store.text = null),
  }
  return store
}

const refreshTokenOf = (text: string | null): string =>
  (JSON.parse(text ?? '{}') as { refreshToken: string }).refreshToken

test('a session goes on after its program, over tokens that have expired, until it is signed out', async (t) => {
  const stage = await stageOf(t, { env: { SESSION_TOKEN_TTL_MS: '1000' } })
  const url = `http://127.0.0.1:${stage.workers[0].port}`
  const store = memory()
  t.is(await resume(url, { store }), null)
  store.text = 'nonsense'
  t.is(await resume(url, { store }), null)

  const first = await signUp(url, ACCOUNT, { store })
  first.holdfast.close()
  const signedUp = refreshTokenOf(store.text)
  const stored = JSON.parse(store.text ?? '') as object
  // The token has expired while no program ran.
  store.text = JSON.stringify({ ...stored, token: 'expired' })
  const second = (await resume(url, { store })) as SignedIn
  t.teardown(second.holdfast.close)
  t.is(second.user.id, first.user.id)
  t.not(refreshTokenOf(store.text), signedUp)
  // Another time while it runs.
  await until(() => store.written.length >= 3, { timeoutMs: 30_000 })
  t.is((await second.holdfast.getUser({ userId: first.user.id })).name, 'Ada')

  await second.holdfast.signOut()
  await until(() => second.holdfast.status.state === 'signedOut')
  t.is(await store.get(), null)
  t.is(await resume(url, { store }), null)
})

test('whoever changes the password goes on, in this program and the next one', async (t) => {
  const { workers } = await stageOf(t)
  const url = `http://127.0.0.1:${workers[0].port}`
  const store = memory()
  const { holdfast, user } = await signUp(url, ACCOUNT, { store })
  t.teardown(holdfast.close)
  const before = refreshTokenOf(store.text)
  await holdfast.changePassword({ oldPassword: ACCOUNT.password, newPassword: 'battery staple' })
  t.not(refreshTokenOf(store.text), before)
  // The socket that signed up is closed; the next one has the new session's token.
  await until(async () => (await holdfast.listSessions({ userId: user.id })).items.every(({ current }) => current))
  const again = (await resume(url, { store })) as SignedIn
  t.is(again.user.id, user.id)
  again.holdfast.close()
})

test('a program that ends between the answer and the store, or gets no answer, has lost nothing', async (t) => {
  const { workers } = await stageOf(t)
  const url = `http://127.0.0.1:${workers[0].port}`
  const store = memory()
  const { holdfast, user } = await signUp(url, ACCOUNT, { store })
  holdfast.close()
  const expired = JSON.stringify({ ...(JSON.parse(store.text ?? '') as object), token: 'expired' })
  for (let turn = 0; turn < 3; turn++) {
    // What this run stores is lost.
    store.text = expired
    const again = (await resume(url, { store })) as SignedIn
    t.is(again.user.id, user.id)
    again.holdfast.close()
  }
  const unwritable = { ...memory(), get: () => expired, set: () => Promise.reject(new Error('full')) }
  await t.throwsAsync(resume(url, { store: unwritable, deadlineMs: 2000 }), { message: /full/ })
  store.text = expired
  const last = (await resume(url, { store })) as SignedIn
  t.is((await last.holdfast.listSessions({ userId: user.id })).items.length, 1)
  last.holdfast.close()
})

test('programs that share a store, without locks, refresh the same session together', async (t) => {
  const { workers } = await stageOf(t)
  const url = `http://127.0.0.1:${workers[0].port}`
  const store = memory()
  const { holdfast, user } = await signUp(url, ACCOUNT, { store })
  holdfast.close()
  for (let turn = 0; turn < 3; turn++) {
    store.text = JSON.stringify({ ...(JSON.parse(store.text ?? '') as object), token: 'expired' })
    const tabs = await Promise.all([0, 1, 2].map(() => resume(url, { store })))
    for (const tab of tabs) {
      t.is(tab?.user.id, user.id)
      tab?.holdfast.close()
    }
  }
})

test('a session that was ended elsewhere is not resumed; one that another sign-in put there is left alone', async (t) => {
  const { system, workers } = await stageOf(t)
  const url = `http://127.0.0.1:${workers[0].port}`
  const store = memory()
  const { holdfast, user } = await signUp(url, ACCOUNT, { store })
  t.teardown(holdfast.close)
  const other = await signIn(url, SIGN_IN, { store })
  t.teardown(other.holdfast.close)
  const theirs = store.text
  await holdfast.signOut()
  await until(() => holdfast.status.state === 'signedOut')
  t.is(store.text, theirs)
  other.holdfast.close()
  await system.run(users.signOutEverywhere, { userId: user.id })
  t.is(await resume(url, { store }), null)
  t.is(store.text, null)
})

test('a gateway that is away ends no session', async (t) => {
  const { workers } = await stageOf(t)
  const store = memory()
  const { holdfast } = await signUp(`http://127.0.0.1:${workers[0].port}`, ACCOUNT, { store })
  holdfast.close()
  const { text } = store
  await t.throwsAsync(resume('http://127.0.0.1:9', { store, deadlineMs: 300 }), { message: /No answer/ })
  t.is(store.text, text)
})
