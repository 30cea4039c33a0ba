import type { Random } from '../../support/numbers.js'
import { newId } from '../../../client/src/index.js'
import type { RaceClient } from './client.js'

const HOUR_MS = 3_600_000
/** Periods lie within so many hours, a day from now: few enough that many overlap. */
const HOURS = 24 * 70
const TEXTS = ['Hello', 'See you there', 'Is 10 o’clock fine?', 'x'.repeat(2000), 'ok']

/** An answer that said that something was appended. */
export interface Told {
  operation: string
  seq: number
  /** The message or the invitation. */
  id: string
}

export interface Tally {
  commands: number
  ok: number
  refused: Record<string, number>
  told: Told[]
  /** Reads of one's own write that did not show it. */
  unseen: string[]
}

export const newTally = (): Tally => ({ commands: 0, ok: 0, refused: {}, told: [], unseen: [] })

interface Known {
  id: string
  buyer: number
  seller: number
}

/** What clients tell each other beside the system: there they do things that they may, and some that they may not. */
export interface Board {
  invitations: Known[]
  messages: { id: string; to: number }[]
}

/** One client's next command. Each is of one of the kinds below; about one in ten is meant to be refused. */
export async function doSomething(
  self: number,
  { clients, board, tally, random }: { clients: RaceClient[]; board: Board; tally: Tally; random: Random },
): Promise<void> {
  const client = clients[self] as RaceClient
  const pick = <T>(items: T[]): T | undefined => items[Math.floor(random() * items.length)]
  const someone = (): number => {
    const other = Math.floor(random() * (clients.length - 1))
    return other >= self ? other + 1 : other
  }
  /** Talk and bookings are mostly with a few. */
  const friend = (): number => (random() < 0.7 ? (self + 1 + Math.floor(random() * 5)) % clients.length : someone())
  const userId = (index: number): string => (clients[index] as RaceClient).userId
  const recent = <T>(items: T[], mine: (item: T) => boolean): T | undefined =>
    pick(items.slice(-400).filter((item) => mine(item) || random() < 0.002))

  async function command(operation: string, input: object, id?: string): Promise<number | undefined> {
    tally.commands++
    const answer = await client.send(operation, input)
    if (!answer.ok) {
      tally.refused[answer.error.code] = (tally.refused[answer.error.code] ?? 0) + 1
      return undefined
    }
    tally.ok++
    const seq = Number(answer.data.seq)
    if (seq > 0) tally.told.push({ operation, seq, id: id ?? String(answer.data.id) })
    return seq
  }

  function period(): { from: string; to: string } {
    const fromMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + (24 + Math.floor(random() * HOURS)) * HOUR_MS
    return {
      from: new Date(fromMs).toISOString(),
      to: new Date(fromMs + Math.ceil(random() * 6) * HOUR_MS).toISOString(),
    }
  }

  const kind = random()
  if (kind < 0.5) {
    const to = friend()
    const messageId = newId()
    const about =
      random() < 0.05 ? recent(board.invitations, ({ buyer, seller }) => buyer === self && seller === to) : null
    const text = pick(TEXTS) as string
    const input = { messageId, toUserId: userId(to), text, ...(about && { invitationId: about.id }) }
    const seq = await command('sendMessage', input)
    if (seq === undefined) return
    board.messages.push({ id: messageId, to })
    if (random() < 0.02) await command('sendMessage', input)
    if (random() < 0.03) await readOwn(to, messageId, seq)
  } else if (kind < 0.56) {
    const message = recent(board.messages, ({ to }) => to === self)
    if (message) await command('markRead', { messageId: message.id }, message.id)
  } else if (kind < 0.58) {
    const other = userId(someone())
    await command('blockUser', { userId: other }, other)
    if (random() < 0.9) await command('unblockUser', { userId: other }, other)
  } else if (kind < 0.76) {
    const seller = friend()
    const invitationId = newId()
    const price = random() < 0.4 ? { price: Math.ceil(random() * 500) } : {}
    const input = { invitationId, sellerId: userId(seller), ...period(), note: `by ${self}`, ...price }
    if ((await command('inviteToBooking', input)) !== undefined)
      board.invitations.push({ id: invitationId, buyer: self, seller })
  } else {
    const asSeller = kind < 0.92
    const invitation = recent(board.invitations, ({ buyer, seller }) => (asSeller ? seller : buyer) === self)
    if (!invitation) return
    const input = { invitationId: invitation.id }
    if (kind < 0.86) await command('confirmInvitation', input)
    else if (kind < 0.88) await command('cancelInvitation', { ...input, reason: 'ill' })
    else if (kind < 0.92) await command('rejectInvitation', { ...input, reason: 'no time' })
    else if (kind < 0.97) await command('rescheduleInvitation', { ...input, ...period() })
    else await command('withdrawInvitation', input)
  }

  async function readOwn(to: number, messageId: string, after: number): Promise<void> {
    const answer = await client.send('getConversation', { withUserId: userId(to), after, limit: 200 })
    if (!answer.ok) {
      // Projections are down for longer than a reader waits, or the machine is too slow: it was told so.
      if (!answer.error.retryable) tally.unseen.push(answer.error.code)
    } else if (!(answer.data.items as { id: string }[]).some(({ id }) => id === messageId)) {
      tally.unseen.push(`${messageId} after ${after}`)
    }
  }
}
