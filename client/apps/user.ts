import { connect, type Holdfast } from '../src/index.js'
import { moment, money } from './show.js'

const HOUR_MS = 3_600_000
const HOURS = 3

/** A backend app of a user: signs in, finds the car among the free ones, books it, looks at the money, cancels. */
export async function bookAndCancel(options: {
  url: string
  email: string
  password: string
  carId: string
  say: (line: string) => void
}): Promise<void> {
  const { url, carId, say } = options
  const { user, token } = await signIn(options)
  say(`signIn: ${user.name}`)

  const client = await connect(url, { token })
  try {
    const period = tomorrow()
    const free = await findFree(client, carId, period)
    say(`listCars: ${free ? `${free.name} is free` : 'the car is taken'} from ${moment(period.from)} on`)

    const booking = await client.call('createBooking', { carId, ...period })
    say(`createBooking: ${booking.state}, ${HOURS} hours, ${money(booking.cost)}`)
    say(`getUser: balance ${await balance(client, user.id)}`)

    const cancelled = await client.call('cancelBooking', { bookingId: booking.id })
    say(`cancelBooking: reversal ${cancelled.reversal?.state ?? 'not needed'}`)
    say(`getUser: balance ${await balance(client, user.id)}`)
  } finally {
    client.close()
  }
}

async function signIn({ url, email, password }: { url: string; email: string; password: string }) {
  const anonymous = await connect(url)
  try {
    return await anonymous.call('signIn', { email, password })
  } finally {
    anonymous.close()
  }
}

async function findFree(client: Holdfast, carId: string, period: { from: string; to: string }) {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.call('listCars', { ...period, ...(cursor && { cursor }) })
    const found = page.items.find(({ id }) => id === carId)
    if (found) return found
    cursor = page.nextCursor
  }
  return undefined
}

const balance = async (client: Holdfast, userId: string): Promise<string> =>
  money((await client.call('getUser', { userId })).balance)

/** From the same hour tomorrow on. */
function tomorrow(): { from: string; to: string } {
  const fromMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 24 * HOUR_MS
  return { from: new Date(fromMs).toISOString(), to: new Date(fromMs + HOURS * HOUR_MS).toISOString() }
}
