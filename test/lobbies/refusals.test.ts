import test from 'ava'
import { lobbies } from '../../functions/lobbies/contract.js'
import { until } from '../../proof/support/until.js'
import { isGapless, seqsOf, stageOf } from './support.js'

test('who was removed is told so, hears no more, cannot post and cannot come back; others go on', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser(), 0)
  const eve = await join(await system.makeUser(), 1)
  await system.run(lobbies.removeFromLobby, { lobbyId, userId: eve.caller.userId })
  for (const each of [ada, eve]) await until(() => each.heard('lobby:removed').length === 1)
  const last = seqsOf(eve, lobbyId).at(-1)
  t.is((await eve.call('postToLobby', { lobbyId, text: 'still here' })).error.code, 'not_in_lobby')
  t.is((await eve.call('joinLobby', { lobbyId })).error.code, 'removed_from_lobby')
  t.is((await eve.call('joinLobby', { lobbyId, lastSeq: 0 })).error.code, 'removed_from_lobby')
  t.true((await ada.call('postToLobby', { lobbyId, text: 'she is gone' })).ok)
  await until(() => ada.heard('lobby:message').length === 1)
  t.is(seqsOf(eve, lobbyId).at(-1), last)
  t.is(
    (await system.refused(lobbies.removeFromLobby, { lobbyId, userId: ada.caller.userId }, ada.caller)).code,
    'forbidden',
  )
})

test('a deleted lobby tells its members, and is closed', async (t) => {
  const { system, join, connect, lobbyId } = await stageOf(t)
  const members = [await join(await system.makeUser(), 0), await join(await system.makeUser(), 1)]
  await system.run(lobbies.deleteLobby, { lobbyId })
  for (const each of members) {
    await until(() => each.heard('lobby:deleted').length === 1)
    t.is((await each.call('postToLobby', { lobbyId, text: 'x' })).error.code, 'not_in_lobby')
  }
  const late = await connect(await system.makeUser())
  t.is((await late.call('joinLobby', { lobbyId, lastSeq: 0 })).error.code, 'lobby_not_found')
})

test('forged lobby ids, and sequences that are none', async (t) => {
  const { system, connect, lobbyId } = await stageOf(t)
  const eve = await connect(await system.makeUser())
  const forged = 'ffffffffffffffffffffffff'
  const rows: [string, string, object][] = [
    ['lobby_not_found', 'joinLobby', { lobbyId: forged }],
    ['lobby_not_found', 'getLobby', { lobbyId: forged }],
    ['invalid_input', 'joinLobby', { lobbyId: { $ne: null } }],
    ['invalid_input', 'joinLobby', { lobbyId: `user:${eve.caller.userId}` }],
    ['invalid_input', 'joinLobby', { lobbyId, lastSeq: -1 }],
    ['invalid_input', 'joinLobby', { lobbyId, lastSeq: 1_000_000 }],
    ['not_in_lobby', 'postToLobby', { lobbyId, text: 'not there' }],
    ['not_in_lobby', 'postToLobby', { lobbyId: forged, text: 'nowhere' }],
    ['lobby_not_found', 'startBooking', { lobbyId: forged, passengers: [{ name: 'E' }] }],
    ['forbidden', 'removeFromLobby', { lobbyId, userId: eve.caller.userId }],
    ['forbidden', 'deleteLobby', { lobbyId }],
    ['unknown_operation', 'reportPresence', { worker: forged, lobbies: [] }],
    ['unknown_operation', 'appendToFeed', { feed: `lobby:${lobbyId}`, entries: [] }],
  ]
  for (const [code, operation, input] of rows) {
    const answer = await eve.call(operation, input)
    t.is(answer.ok ? 'ok' : answer.error.code, code, `${operation} ${JSON.stringify(input)}`)
  }
  t.deepEqual(eve.of(lobbyId), [])
})

test('a text of a megabyte is refused or cuts its sender off, and others do not notice', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser(), 0)
  const eve = await join(await system.makeUser(), 0)
  t.is((await eve.call('postToLobby', { lobbyId, text: 'x'.repeat(2001) })).error.code, 'invalid_input')
  t.is((await eve.call('postToLobby', { lobbyId, text: 'x'.repeat(500_000) })).error.code, 'invalid_input')
  const cutOff = new Promise((resolve) => eve.socket.once('disconnect', resolve))
  eve.socket.emit('postToLobby', { lobbyId, text: 'x'.repeat(1_000_001) }, () => {})
  await cutOff
  t.true((await ada.call('postToLobby', { lobbyId, text: 'all well' })).ok)
  await until(() => ada.heard('lobby:message').length > 0)
  t.deepEqual(
    ada.heard('lobby:message').map(({ data }) => data['text']),
    ['all well'],
  )
})

test('a flood of chat is refused beyond the rate; the others are told all that came through, and can speak', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser(), 0)
  const ben = await join(await system.makeUser(), 1)
  const eve = await join(await system.makeUser(), 0)
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) => eve.call('postToLobby', { lobbyId, text: `spam ${i}` })),
  )
  const through = answers.filter(({ ok }) => ok).length
  t.true(through <= 60, `${through} came through`)
  t.deepEqual(new Set(answers.flatMap((each) => (each.ok ? [] : [each.error.code]))), new Set(['rate_limited']))
  t.true((await ada.call('postToLobby', { lobbyId, text: 'please stop' })).ok)
  for (const each of [ada, ben]) {
    await until(() => each.heard('lobby:message').length === through + 1)
    t.true(isGapless(seqsOf(each, lobbyId)))
  }
})
