import { bookings } from '../../../functions/bookings/contract.js'
import { lobbies } from '../../../functions/lobbies/contract.js'
import { trains } from '../../../functions/trains/contract.js'
import { crashAt } from '../../support/faults.js'
import { settled } from '../../trains/support.js'
import { hours, at, type Person, type Stage } from './recorder.js'

/** Cars and rooms, and what is booked of them. */
export async function things(stage: Stage, ada: Person): Promise<void> {
  const { ask } = stage
  const car = await ask(bookings.createCar, { name: 'Kombi', pricePerHour: 1250 })
  await ask(bookings.updateCar, { carId: car.id, version: car.version, set: { pricePerHour: 1300 } })
  await ask(bookings.listCars, hours(24, 27), ada)
  const booking = await ask(bookings.createBooking, { carId: car.id, ...hours(24, 27), maxCost: 4000 }, ada)
  await ask(bookings.getCar, { carId: car.id, ...hours(0, 48) }, ada)
  await ask(bookings.getBooking, { bookingId: booking.id }, ada)
  await ask(bookings.cancelBooking, { bookingId: booking.id }, ada)
  await ask(bookings.traceBooking, { bookingId: booking.id })
  await ask(bookings.listBookings, { standing: 'cancelled' }, ada)

  const room = await ask(bookings.createRoom, {
    name: 'Double',
    pricePerNight: 9000,
    units: 4,
    timeZone: 'Europe/Lisbon',
  })
  await ask(bookings.updateRoom, { roomId: room.id, version: room.version, set: { units: 3 } })
  await ask(bookings.listRooms, hours(39, 82), ada)
  await ask(bookings.getRoom, { roomId: room.id, ...hours(39, 82) }, ada)
  await stuck(stage, ada, car.id)
  await ask(bookings.auditBooks, {})
}

/** Bookings whose process died. */
async function stuck({ ask, store }: Stage, ada: Person, carId: string): Promise<void> {
  const bookingId = store.newId()
  const input = { bookingId, carId, ...hours(48, 49) }
  await crashAt(6, () => store.run(bookings.createBooking, input, { userId: ada.userId, role: 'user' }))
  store.clock.advance(600_000)
  await ask(bookings.listStuckBookings, {})
  await ask(bookings.applyBooking, { bookingId })
  store.clock.advance(600_000)
  await ask(bookings.commitBooking, { bookingId })
  await ask(bookings.recoverBookings, {})
}

/** A train, its lobby, and seats of it. */
export async function train(stage: Stage, ada: Person, bob: Person): Promise<void> {
  const { ask, store } = stage
  const going = {
    route: 'Lisbon - Porto',
    departureTime: at(240),
    arrivalTime: at(243),
    availableSeats: 60,
    pricePerSeat: 2500,
  }
  const { id: trainId, version } = await ask(trains.createTrain, going)
  await ask(trains.updateTrain, { trainId, version, set: { arrivalTime: at(244) } })
  await ask(trains.listTrains, { route: 'Lisbon - Porto', seats: 2 }, ada)
  const { id: lobbyId } = await ask(lobbies.createLobby, { trainId })
  await ask(lobbies.listLobbies, { trainId }, ada)
  await ask(lobbies.joinLobby, { lobbyId }, ada)
  await ask(lobbies.postToLobby, { lobbyId, text: 'Who has window seats?' }, ada)
  await ask(lobbies.getLobby, { lobbyId }, ada)

  const passengers = [{ name: 'Ada' }, { name: 'Charles' }]
  const { bookingId } = await ask(bookings.startBooking, { lobbyId, passengers }, ada)
  const booked = await settled(store, bookingId)
  const set = { passengers: [{ name: 'Ada' }, { name: 'Mary' }] }
  await ask(bookings.updateBooking, { bookingId, version: booked.version ?? 0, set }, ada)
  await ask(trains.getTrain, { trainId }, ada)
  await ask(lobbies.leaveLobby, { lobbyId }, ada)
  await ask(lobbies.removeFromLobby, { lobbyId, userId: bob.userId })
  await ask(trains.callOffTrain, { trainId, reason: 'The line is closed' })
  await ask(lobbies.deleteLobby, { lobbyId })
  const other = await ask(trains.createTrain, going)
  await ask(trains.deleteTrain, { trainId: other.id })
}
