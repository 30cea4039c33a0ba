// Books a car over socket.io: node examples/session.js "$(npm run -s token -- --role admin | tail -n 1)"
import { io } from 'socket.io-client'

const url = `http://127.0.0.1:${process.env.GATEWAY_PORT ?? 8080}`
const connect = (token) => io(url, { transports: ['websocket'], auth: { token } })

async function call(socket, operation, input) {
  const answer = await socket.timeout(15_000).emitWithAck(operation, input)
  return answer.ok ? answer.data : answer.error
}

const admin = connect(process.argv[2])
const car = await call(admin, 'createCar', { name: 'Kombi', pricePerHour: 1250 })
console.log('car:', car.name, car.pricePerHour)

const anyone = connect()
const email = `ada-${Date.now()}@example.com`
const { user, token } = await call(anyone, 'signUp', { email, password: 'correct horse', name: 'Ada' })
const funded = await call(admin, 'depositFunds', { userId: user.id, amount: 10_000 })
console.log('balance:', funded.balance)

const ada = connect(token)
const period = { from: '2031-01-01T09:00:00.000Z', to: '2031-01-01T11:30:00.000Z' }
const booking = await call(ada, 'createBooking', { carId: car.id, ...period })
console.log('booking:', booking.state, booking.cost)

const again = await call(ada, 'createBooking', { bookingId: booking.id, carId: car.id, ...period, to: period.from })
console.log('refused:', again.code, again.details)

const twice = await call(ada, 'createBooking', { carId: car.id, ...period })
console.log('refused:', twice.code)

const { reversal } = await call(ada, 'cancelBooking', { bookingId: booking.id })
console.log('reversal:', reversal.state, reversal.reverses === booking.id)

const ledger = await call(ada, 'listLedger', { userId: user.id })
for (const { cause, change, balanceAfter } of ledger.items) console.log('ledger:', cause, change, balanceAfter)

for (const socket of [admin, anyone, ada]) socket.disconnect()
