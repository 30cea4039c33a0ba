import { connect, newId } from '../src/index.js'
import { money } from './show.js'

const PRICE_PER_HOUR = 1250
const DEPOSIT = 10_000

/** Whom and what the admin prepared. */
export interface Prepared {
  email: string
  password: string
  carId: string
}

/** A backend app of an admin: puts a car up, makes a user, pays money in. `say` gets a line for each step. */
export async function prepare(options: { url: string; token: string; say: (line: string) => void }): Promise<Prepared> {
  const { url, token, say } = options
  const client = await connect(url, { token })
  try {
    const car = await client.call('createCar', { name: 'Blue Beetle', pricePerHour: PRICE_PER_HOUR })
    say(`createCar: ${car.name}, ${money(car.pricePerHour)} an hour`)

    const login = { email: `ada.${newId()}@example.com`, password: newId() }
    const user = await client.call('createUser', { name: 'Ada', ...login })
    say(`createUser: ${user.name}, balance ${money(user.balance)}`)

    const funded = await client.call('depositFunds', { userId: user.id, amount: DEPOSIT })
    say(`depositFunds: ${money(DEPOSIT)}, balance ${money(funded.balance)}`)
    return { ...login, carId: car.id }
  } finally {
    client.close()
  }
}
