import { z } from 'zod'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { again, ask, flood, hour, inTurn, login, pause, year, type Account, type Arms, type Attack } from '../arms.js'

/** Attacks by requests that are allowed, or nearly. */
export const OPERATIONS: Record<string, Attack> = {
  'expired-exports': {
    what: "a year's exports, 100 in one burst, whose client leaves",
    prepare: invite,
    run: (arms) =>
      again(arms, 300, async () => {
        const socket = await login(arms, member(arms, 0))
        for (let i = 0; i < 100; i++) void ask(arms, socket, 'exportCalendar', { ...year(2031), as: 'buyer' })
        await pause(arms, 200)
        socket.disconnect()
      }),
  },
  'year-calendars': {
    what: "a year's calendar of 200 invitations, over and over",
    prepare: invite,
    run: (arms) =>
      flood(arms, member(arms, 0), 10, (socket) =>
        ask(arms, socket, 'getCalendar', { ...year(2031), as: 'buyer', timeZone: 'America/New_York' }),
      ),
  },
  'year-9999': {
    what: 'the calendar of the last day of the year 9999, and of the year 0',
    run: (arms) =>
      flood(arms, member(arms, 0), 50, (socket) =>
        ask(arms, socket, arms.random() < 0.5 ? 'getCalendar' : 'exportCalendar', {
          ...(arms.random() < 0.5
            ? { from: '9999-12-31T00:00:00.000Z', to: '9999-12-31T00:02:00.000Z' }
            : { from: '0000-01-01T00:00:00.000Z', to: '0000-01-01T00:02:00.000Z' }),
          as: 'buyer',
        }),
      ),
  },
  'invitation-flood': {
    what: "invitations of 1 ms into an honest seller's calendar",
    run: (arms) =>
      flood(arms, member(arms, 0), 10, (socket) => {
        const from = Date.UTC(2031, 5, 1) + Math.floor(arms.random() * 1e9)
        const period = { from: new Date(from).toISOString(), to: new Date(from + 1).toISOString() }
        return ask(arms, socket, 'inviteToBooking', { sellerId: arms.target.userIds[0], ...period, note: '' })
      }),
  },
  'penniless-bookers': {
    what: 'bookings without money, of the hours that honest clients book next',
    run: penniless,
  },
  'book-and-cancel': {
    what: 'bookings that cost nothing, each taken back at once',
    run: (arms) =>
      flood(arms, member(arms, 0), 20, async (socket) => {
        const period = hour(Math.floor(arms.random() * 40_000))
        const answer = await ask(arms, socket, 'createBooking', { carId: arms.target.freeCarId, ...period })
        if (answer?.ok) await ask(arms, socket, 'cancelBooking', { bookingId: answer.data?.['id'] })
      }),
  },
  'eternal-bookings': {
    what: 'a car for 9,999 years',
    run: (arms) =>
      flood(arms, member(arms, 0), 50, async (socket) => {
        const period = { from: '0000-01-01T00:00:00.000Z', to: '9998-12-31T00:00:00.000Z' }
        const answer = await ask(arms, socket, 'createBooking', { carId: arms.target.freeCarId, ...period })
        if (answer?.ok) arms.breach('a car was booked for 9,999 years')
      }),
  },
  'ticket-hoarder': {
    what: 'every ticket of a seller ordered by one who never pays, and again when it lets go',
    prepare: offerTickets,
    run: hoard,
  },
  'removed-from-lobby': {
    what: 'joins, posts and bookings by somebody who was removed from the lobby',
    run: (arms) =>
      flood(arms, arms.target.removed, 50, async (socket) => {
        const { lobbyId } = arms.target
        const joined = await ask(arms, socket, 'joinLobby', { lobbyId })
        const posted = await ask(arms, socket, 'postToLobby', { lobbyId, text: 'I am back' })
        const booked = await ask(arms, socket, 'startBooking', { lobbyId, passengers: [{ name: 'Eve' }] })
        if (joined?.ok || posted?.ok || booked?.ok) arms.breach('somebody removed from a lobby is heard there')
      }),
  },
  'lobby-noise': {
    what: 'joins, posts of 2,000 characters and leaves, by three users',
    run: async (arms) => {
      const { lobbyId } = arms.target
      await Promise.all(
        arms.crew.map((account, i) =>
          flood(
            arms,
            account,
            30,
            async (socket) => {
              await ask(arms, socket, 'joinLobby', { lobbyId, lastSeq: 0 })
              await ask(arms, socket, 'postToLobby', { lobbyId, text: 'n'.repeat(2000) })
              if (arms.random() < 0.3) await ask(arms, socket, 'leaveLobby', { lobbyId })
            },
            i,
          ),
        ),
      )
    },
  },
  fuzz: { what: 'every operation with inputs that are nearly right', run: fuzz },
}

const member = ({ crew }: Arms, n: number): Account => crew[n % crew.length] as Account

const INVITATIONS = 200

/** Into the calendar of one of its own, by all the others. */
async function invite(arms: Arms): Promise<void> {
  const socket = await login(arms, member(arms, 0))
  const AT_ONCE = 10
  for (let i = 0; i < INVITATIONS; i += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, j) => {
        const sellerId = member(arms, 1 + (j % 2)).userId
        return ask(arms, socket, 'inviteToBooking', { sellerId, ...hour(40 * (i + j), 2031), note: 'n'.repeat(1000) })
      }),
    )
  }
  socket.disconnect()
}

async function penniless(arms: Arms): Promise<void> {
  const AHEAD = 5
  await flood(arms, member(arms, 0), 20, async (socket) => {
    const carId = arms.target.carIds[Math.floor(arms.random() * arms.target.carIds.length)]
    const found = await ask(arms, socket, 'getCar', { carId, ...year(2033) })
    const busy = (found?.data?.['busy'] ?? []) as { from: string; to: string }[]
    const last = Date.parse(busy.at(-1)?.to ?? '2033-01-01T00:00:00.000Z')
    const next = (last - Date.UTC(2033, 0, 1)) / 3_600_000 + Math.floor(arms.random() * AHEAD)
    const booked = await ask(arms, socket, 'createBooking', { carId, ...hour(next, 2033) })
    if (booked?.ok) arms.breach('a booking without money')
  })
}

const TICKETS = 20
/** MAX_OPEN_ORDERS. */
const OPEN_ORDERS = 10
const offered = new WeakMap<object, string[]>()

async function offerTickets(arms: Arms): Promise<void> {
  const socket = await login(arms, member(arms, 0))
  const ids: string[] = []
  for (let i = 0; i < TICKETS; i++) {
    const answer = await ask(arms, socket, 'createTicket', { title: `Row ${i}`, price: 100 })
    if (answer?.ok) ids.push(String(answer.data?.['id']))
  }
  offered.set(arms.crew, ids)
  socket.disconnect()
}

async function hoard(arms: Arms): Promise<void> {
  const tickets = offered.get(arms.crew) ?? []
  const open: string[] = []
  await inTurn(arms, member(arms, 1), 5, async (socket) => {
    const ticketId = tickets[Math.floor(arms.random() * tickets.length)]
    const answer = await ask(arms, socket, 'createOrder', { ticketId })
    if (answer?.ok) open.push(String(answer.data?.['id']))
    if (open.length > OPEN_ORDERS) arms.breach(`${open.length} open orders of one buyer`)
    if (open.length === OPEN_ORDERS) {
      const orderId = open[0]
      const ended = await ask(arms, socket, 'cancelOrder', { orderId })
      if (ended?.ok) open.shift()
    }
  })
}

const JUNK = [null, true, -1, 1e308, 2 ** 53, '', 'x'.repeat(5000), [], {}, [[[[]]]], { $gt: '' }, '__proto__']
const PLAUSIBLE = ['000000000000000000000001', '2031-01-01T00:00:00.000Z', 1, 200, 'a text', 'ada@example.com', ['a']]

async function fuzz(arms: Arms): Promise<void> {
  const operations = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  const fields = operations.map(({ name, input }) => {
    const { properties = {} } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
    return { name, keys: Object.keys(properties) }
  })
  const pick = <T>(from: readonly T[]): T => from[Math.floor(arms.random() * from.length)] as T
  await flood(arms, member(arms, 0), 8, (socket) => {
    const { name, keys } = pick(fields)
    const value = (): unknown => (arms.random() < 0.6 ? pick(PLAUSIBLE) : pick(JUNK))
    const input = arms.random() < 0.05 ? pick(JUNK) : Object.fromEntries(keys.map((key) => [key, value()]))
    return ask(arms, socket, name, input)
  })
}
