import test, { type ExecutionContext } from 'ava'
import type { Entry } from '../../functions/feeds/contract.js'
import type { WatchFeeds } from '../../gateway/feedWatch.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { until } from '../../proof/support/until.js'
import { codeOf, open, startGateway, type Answering } from './support.js'

/** A gateway whose feeds have what this appends. */
async function start(t: ExecutionContext, options: { answer?: Answering; stored?: Entry[] } = {}) {
  let appended: (entry: Entry) => void = () => {}
  const watchFeeds: WatchFeeds = (listener) => {
    appended = listener.appended
  }
  const harness = await startGateway(t, { ...options, overrides: { watchFeeds } })
  const seqs = new Map<string, number>()
  return {
    ...harness,
    append(feed: string) {
      const seq = (seqs.get(feed) ?? 0) + 1
      seqs.set(feed, seq)
      appended({ feed, seq, key: String(seq), name: 'order:updated', data: {}, at: '2031-01-01T00:00:00.000Z' })
    },
  }
}

function listen(t: ExecutionContext, port: number, auth: object) {
  const socket = open(port, { auth, reconnection: false })
  t.teardown(() => socket.disconnect())
  const heard: string[] = []
  socket.onAny((name: string) => void (name !== 'operations' && heard.push(name)))
  return { socket, heard }
}

test('a token that is revoked closes its socket; one that expires ends what it hears, and its requests are unauthenticated as ever', async (t) => {
  const { append, users, userToken, port, config } = await start(t)
  const revoked = await userToken()
  const expiring = await userToken()
  const lives = { ...config, tokenTtlMs: 1500 }
  const short = await signToken({ userId: expiring.userId, role: 'user', tokenVersion: 1 }, lives, new Date())
  const sockets = [listen(t, port, { token: revoked.token }), listen(t, port, { token: short })]
  for (const { heard } of sockets) await until(() => heard.includes('position'))
  for (const { userId } of [revoked, expiring]) append(`user:${userId}`)
  for (const { heard } of sockets) await until(() => heard.includes('order:updated'))

  users.set(revoked.userId, { role: 'user', tokenVersion: 2 })
  for (const { heard } of sockets) await until(() => heard.includes('session:ended'))
  for (const { userId } of [revoked, expiring]) append(`user:${userId}`)
  const [onRevoked, onExpired] = sockets as [(typeof sockets)[0], (typeof sockets)[0]]
  await until(() => !onRevoked.socket.connected)
  t.is(await codeOf(onExpired.socket, 'listCars'), 'unauthenticated')
  for (const { heard } of sockets) t.deepEqual(heard, ['position', 'order:updated', 'session:ended'])
})

test('whoever comes with a revoked token gets no replay', async (t) => {
  const { users, userToken, port, calls } = await start(t)
  const { userId, token } = await userToken()
  users.set(userId, { role: 'user', tokenVersion: 2 })
  const { heard } = listen(t, port, { token, lastSeq: 0 })
  await until(() => heard.length > 0)
  t.deepEqual(heard, ['session:ended'])
  t.false(calls.some(({ operation }) => operation === 'feeds.readFeed'))
})
