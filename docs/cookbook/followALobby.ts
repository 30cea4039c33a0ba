import type { Kitchen } from './kitchen.js'

/** Follow a lobby: who is in it hears what is said, and how bookings of its train end. */
export default async function ({ admin, ada, bob }: Kitchen): Promise<void> {
  const times = { departureTime: new Date('2031-06-01T08:00Z'), arrivalTime: new Date('2031-06-01T12:00Z') }
  const train = await admin.createTrain({ route: 'Lisbon - Porto', ...times, availableSeats: 60, pricePerSeat: 2500 })
  const { id: lobbyId } = await admin.createLobby({ trainId: train.id })

  const lobby = ada.holdfast.lobby(lobbyId)
  await lobby.following
  const bobs = bob.holdfast.lobby(lobbyId)
  await bobs.following
  await bob.holdfast.postToLobby({ lobbyId, text: 'Window or aisle?' })
  await ada.holdfast.startBooking({ lobbyId, passengers: [{ name: 'Ada' }] })
  for await (const entry of lobby) {
    if (entry.name === 'gap') break // Too long away: read anew what you show.
    if (entry.name === 'lobby:message') console.log(entry.text) // Window or aisle?
    if (entry.name === 'booking:confirmed') {
      console.log(entry.seats[0]) // 1
      break
    }
  }
  bobs.end()
}
