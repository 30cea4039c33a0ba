import test from 'ava'
import { MAX_REPORTED } from '../../functions/lobbies/contract.js'
import { inParts } from '../../gateway/presence.js'

const lobby = (lobbyId: number, users: number) => ({ lobbyId, userIds: Array.from({ length: users }, () => 'u') })
const usersOf = (part: { userIds: string[] }[]): number => part.reduce((sum, { userIds }) => sum + userIds.length, 0)

test('who is in lobbies is reported in parts that a call takes, nothing left out', (t) => {
  const few = Array.from({ length: 1200 }, (_, i) => lobby(i, 1))
  t.deepEqual(
    inParts(few).map(({ length }) => length),
    [500, 500, 200],
  )
  t.deepEqual(inParts(few).flat(), few)

  const crowds = [lobby(1, 8000), lobby(2, 12_000), lobby(3, 1), lobby(4, MAX_REPORTED), lobby(5, 0)]
  t.deepEqual(
    inParts(crowds).map((part) => part.map(({ lobbyId }) => lobbyId)),
    [[1, 2], [3], [4, 5]],
  )
  t.true(inParts(crowds).every((part) => usersOf(part) <= MAX_REPORTED))
  t.deepEqual(inParts([]), [])
})
