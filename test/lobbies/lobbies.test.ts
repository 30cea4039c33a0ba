import test from 'ava'
import { lobbies } from '../../functions/lobbies/contract.js'
import { users } from '../../functions/users/contract.js'
import { until } from '../../proof/support/until.js'
import { isGapless, seqsOf, stageOf, type Member } from './support.js'

const textsOf = (member: Member) => member.heard('lobby:message').map(({ data }) => data['text'])

test('createLobby, getLobby, listLobbies, deleteLobby', async (t) => {
  const { system, lobbyId, trainId } = await stageOf(t)
  const user = await system.makeUser()
  t.is((await system.refused(lobbies.createLobby, { trainId: system.newId() })).code, 'train_not_found')
  t.is((await system.refused(lobbies.createLobby, { trainId }, user)).code, 'forbidden')
  const again = await system.run(lobbies.createLobby, { lobbyId: '0123456789abcdef01234567', trainId })
  t.deepEqual(await system.run(lobbies.createLobby, { lobbyId: again.id, trainId }), again)
  t.like(await system.run(lobbies.getLobby, { lobbyId }, user), { id: lobbyId, trainId, members: [] })
  t.deepEqual(
    (await system.run(lobbies.listLobbies, { trainId }, user)).items.map(({ id }) => id),
    [lobbyId, again.id],
  )
  await system.run(lobbies.deleteLobby, { lobbyId: again.id })
  await system.run(lobbies.deleteLobby, { lobbyId: again.id })
  t.is((await system.refused(lobbies.getLobby, { lobbyId: again.id })).code, 'lobby_not_found')
  t.is((await system.refused(lobbies.joinLobby, { lobbyId: again.id }, user)).code, 'lobby_not_found')
})

test('members on both workers see one sequence: who is there, and what is said', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser(), 0)
  const ben = await join(await system.makeUser(), 1)
  for (let i = 0; i < 10; i++) {
    const answer = await (i % 2 ? ada : ben).call('postToLobby', { lobbyId, text: `hello ${i}` })
    t.true(answer.ok)
  }
  await until(() => ada.heard('lobby:message').length === 10 && ben.heard('lobby:message').length === 10)
  t.deepEqual(
    textsOf(ben),
    Array.from({ length: 10 }, (_, i) => `hello ${i}`),
  )
  const both = [ada.caller.userId, ben.caller.userId].sort()
  await until(async () => {
    const { members } = await system.run(lobbies.getLobby, { lobbyId })
    return members.sort().join() === both.join()
  })
  await until(() => {
    const joined = ada.heard('lobby:members').flatMap(({ data }) => data['joined'] as string[])
    return joined.sort().join() === both.join()
  })
  for (const each of [ada, ben]) t.true(isGapless(seqsOf(each, lobbyId)), seqsOf(each, lobbyId).join())

  await ben.call('leaveLobby', { lobbyId })
  await until(() =>
    ada.heard('lobby:members').some(({ data }) => (data['left'] as string[]).includes(ben.caller.userId)),
  )
  const heard = ben.told.length
  await ada.call('postToLobby', { lobbyId, text: 'still there?' })
  await until(() => textsOf(ada).includes('still there?'))
  t.is(ben.told.length, heard)
  t.is((await ben.call('postToLobby', { lobbyId, text: 'no' })).error.code, 'not_in_lobby')
})

test('the same message sent twice stands once', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser())
  const message = { lobbyId, messageId: system.newId(), text: 'once' }
  const answers = [await ada.call('postToLobby', message), await ada.call('postToLobby', message)]
  t.deepEqual(answers[0], answers[1])
  t.is((await ada.call('postToLobby', { ...message, text: 'twice' })).error.code, 'message_id_reused')
  await ada.call('postToLobby', { lobbyId, text: 'last' })
  await until(() => textsOf(ada).includes('last'))
  t.deepEqual(textsOf(ada), ['once', 'last'])
})

test('a booking from the lobby: everyone there is told once, the buyer too; their other sockets as well', async (t) => {
  const { system, join, connect, lobbyId, trainId } = await stageOf(t, { seats: 3 })
  const buyer = await system.makeUser({ balance: 9000 })
  const ada = await join(buyer, 0)
  const phone = await connect(buyer, 1)
  const ben = await join(await system.makeUser({ balance: 9000 }), 1)
  const away = await connect(await system.makeUser({ balance: 9000 }), 0)

  const passengers = [{ name: 'Ada' }, { name: 'Alan' }]
  const started = await ada.call('startBooking', { lobbyId, passengers })
  t.true(started.ok)
  const { bookingId } = started.data
  for (const each of [ada, phone, ben]) await until(() => each.heard('booking:confirmed').length === 1)
  t.like(ben.heard('booking:confirmed')[0]?.data, { bookingId, lobbyId, trainId, seats: [1, 2], userId: buyer.userId })
  t.false('passengers' in (ben.heard('booking:confirmed')[0]?.data ?? {}), 'names are the buyer’s')
  t.like(phone.heard('booking:confirmed')[0]?.data, {
    bookingId,
    passengers: [
      { name: 'Ada', seat: 1 },
      { name: 'Alan', seat: 2 },
    ],
  })
  t.is(ada.heard('booking:confirmed')[0]?.data.lobbyId, lobbyId)

  const refused = await away.call('startBooking', { lobbyId, passengers })
  for (const each of [ada, ben, away]) await until(() => each.heard('booking:rejected').length === 1)
  const { bookingId: none } = refused.data
  t.like(away.heard('booking:rejected')[0]?.data, { bookingId: none, reason: 'seats_unavailable' })

  await ada.call('cancelBooking', { bookingId })
  for (const each of [ada, phone, ben]) await until(() => each.heard('booking:cancelled').length === 1)
  // Whatever else were to come has come by the time something later is there.
  await ben.call('postToLobby', { lobbyId, text: 'last' })
  await until(() => textsOf(ada).includes('last'))
  for (const each of [ada, phone, ben]) {
    t.is(each.heard('booking:confirmed').length, 1)
    t.is(each.heard('booking:cancelled').length, 1)
  }
  t.is(phone.heard('booking:rejected').length, 0)
  t.is(away.heard('booking:confirmed').length, 0)
  for (const each of [ada, ben]) t.true(isGapless(seqsOf(each, lobbyId)))
  t.is((await system.run(users.getUser, { userId: buyer.userId })).balance, 9000)
})

test('cut off and back on the other worker: nothing is lost, nothing comes twice, all in order', async (t) => {
  const { system, join, connect, lobbyId } = await stageOf(t)
  const buyer = await system.makeUser({ balance: 9000 })
  const ben = await join(await system.makeUser(), 0)
  const first = await join(buyer, 0)
  await ben.call('postToLobby', { lobbyId, text: 'before' })
  await until(() => textsOf(first).includes('before'))
  const { bookingId } = (await first.call('startBooking', { lobbyId, passengers: [{ name: 'A' }] })).data
  // As the network drops: the server is not told.
  const cutOff = new Promise((resolve) => first.socket.once('disconnect', resolve))
  first.socket.io.engine.close()
  await cutOff
  const posts = Array.from({ length: 30 }, (_, i) => `while away ${i}`)
  const posting = (async () => {
    for (const text of posts) await ben.call('postToLobby', { lobbyId, text })
  })()
  const lastSeq = seqsOf(first, lobbyId).at(-1)
  const second = await connect(buyer, 1, { lobbies: { [lobbyId]: first.joinedAt } })
  // The outcome may be there before the client is back in the lobby: it waits for it there.
  await until(() => ben.heard('booking:confirmed').length === 1)
  const answer = await second.call('joinLobby', { lobbyId, lastSeq })
  t.true(answer.ok)
  await posting
  await ben.call('postToLobby', { lobbyId, text: 'after' })
  await until(() => textsOf(second).includes('after') && textsOf(ben).includes('after'))

  const seqs = [...seqsOf(first, lobbyId), ...seqsOf(second, lobbyId)]
  t.true(isGapless(seqs), seqs.join())
  t.deepEqual([...textsOf(first), ...textsOf(second)], ['before', ...posts, 'after'])
  const outcomes = [...first.heard('booking:confirmed'), ...second.heard('booking:confirmed')]
  t.deepEqual(
    outcomes.map(({ data }) => data.bookingId),
    [bookingId],
  )
})

test('cut off between the lobby and the user being told: what was heard in the lobby is not told again', async (t) => {
  const { system, join, connect, lobbyId } = await stageOf(t)
  const buyer = await system.makeUser({ balance: 9000 })
  const first = await join(buyer, 0)
  const before = first.heard('position')[0]?.data.seq
  await first.call('startBooking', { lobbyId, passengers: [{ name: 'A' }] })
  await until(() => first.heard('booking:confirmed').length === 1)
  first.socket.io.engine.close()

  const second = await connect(buyer, 1, { lastSeq: before, lobbies: { [lobbyId]: first.joinedAt } })
  await second.call('joinLobby', { lobbyId, lastSeq: seqsOf(first, lobbyId).at(-1) })
  await second.call('startBooking', { lobbyId, passengers: [{ name: 'B' }] })
  await until(() => second.heard('booking:confirmed').length > 0)
  await second.call('postToLobby', { lobbyId, text: 'last' })
  await until(() => textsOf(second).includes('last'))
  t.deepEqual(
    second.heard('booking:confirmed').map(({ data }) => data['seats']),
    [[2]],
  )
})

test('who said to be coming back and is not let in, or leaves, is told outside the lobby', async (t) => {
  const { system, join, connect, lobbyId, trainId } = await stageOf(t)
  const buyer = await system.makeUser({ balance: 9000 })
  const ben = await join(await system.makeUser())
  const back = { lobbies: { [lobbyId]: 0 } }
  const [leaving, removed] = [await connect(buyer, 1, back), await connect(buyer, 0, back)]
  const other = await connect(buyer, 1)
  await other.call('startBooking', { trainId, passengers: [{ name: 'A' }] })
  for (const each of [ben, other]) await until(() => each.heard('booking:confirmed').length === 1)

  await leaving.call('leaveLobby', { lobbyId })
  await until(() => leaving.heard('booking:confirmed').length === 1)
  t.is(removed.heard('booking:confirmed').length, 0)
  await system.run(lobbies.removeFromLobby, { lobbyId, userId: buyer.userId })
  t.is((await removed.call('joinLobby', { lobbyId, lastSeq: 0 })).error.code, 'removed_from_lobby')
  await until(() => removed.heard('booking:confirmed').length === 1)
})

test('a worker that dies takes its members along a few seconds later', async (t) => {
  const { system, join, lobbyId } = await stageOf(t)
  const ada = await join(await system.makeUser(), 0)
  const gone = system.newId()
  // What another worker said, and never again.
  await system.run(lobbies.reportPresence, { worker: system.newId(), lobbies: [{ lobbyId, userIds: [gone] }] }, null)
  await until(() => ada.heard('lobby:members').some(({ data }) => (data['joined'] as string[]).includes(gone)))
  await until(() => ada.heard('lobby:members').some(({ data }) => (data['left'] as string[]).includes(gone)), {
    timeoutMs: 60_000,
  })
  t.false((await system.run(lobbies.getLobby, { lobbyId })).members.includes(gone))
})
