import type { Document } from '../documents.js'
import type { Ending } from '../executor.js'
import { documentsOf, type CollectionName, type Snapshot } from '../snapshot.js'
import type { About } from '../theatre.js'

/**
 * The books of refunds, by arithmetic of their own: nothing here is taken from the product. They read the charge, what
 * Stripe gave back, and the accounts of buyer and seller. Each check answers a sentence on what is wrong.
 */

interface RefundRow {
  _id: Id
  amount: number
  origin: string
  state: string
  seller: string
  reason: string
  stripeId?: string
}
interface ChargeRow {
  _id: Id
  userId: Id
  sellerId: Id
  amount: number
  method: string
  state: string
  left: number
  refunds: RefundRow[]
  unseen: boolean
}
interface AccountRow {
  _id: Id
  opening: number
  balance: number
  ledger: { _id: Id; cause: string; causeId: string; change: number }[]
  refused: Id[]
}
interface StripeRow {
  left: number
  refunds: { id: string; amount: number; status: string; metadata: { refundId?: string } }[]
}
type Id = Document['_id']

const rows = <T>(snapshot: Snapshot, collection: CollectionName): T[] =>
  documentsOf(snapshot, collection) as unknown as T[]

interface Books {
  charge: ChargeRow
  buyer: AccountRow
  seller: AccountRow
  /** What it gave back, and the buyer has. */
  given: StripeRow['refunds']
  stripe: StripeRow | undefined
}

/** Undefined: this replica set has only some of them. */
function booksOf(snapshot: Snapshot): Books | undefined {
  const [charge] = rows<ChargeRow>(snapshot, 'charges')
  const accounts = rows<AccountRow>(snapshot, 'accounts')
  const [stripe] = rows<StripeRow>(snapshot, 'stripe')
  const of = (id: Id) => accounts.find(({ _id }) => _id.equals(id))
  const [buyer, seller] = [charge && of(charge.userId), charge && of(charge.sellerId)]
  if (!charge || !buyer || !seller) return undefined
  return { charge, buyer, seller, stripe, given: stripe?.refunds.filter(({ status }) => status !== 'failed') ?? [] }
}

const sum = (amounts: number[]): number => amounts.reduce((total, each) => total + each, 0)

/** What must hold at every moment, whatever is under way. */
export function checkAlways(snapshot: Snapshot): string | undefined {
  for (const account of rows<AccountRow>(snapshot, 'accounts')) {
    const wrong = checkAccount(account)
    if (wrong !== undefined) return wrong
  }
  for (const { amount, left, refunds } of rows<ChargeRow>(snapshot, 'charges')) {
    const standing = sum(refunds.filter(({ state }) => state !== 'rejected').map((each) => each.amount))
    if (left < 0 || left + standing !== amount)
      return `${amount} were received, refunds of ${standing} stand, and ${left} are left`
  }
  const books = booksOf(snapshot)
  return books && checkTogether(books)
}

function checkAccount({ _id, opening, balance, ledger, refused }: AccountRow): string | undefined {
  if (balance < 0) return `account ${String(_id)} has balance ${balance}`
  const due = opening + sum(ledger.map(({ change }) => change))
  if (balance !== due) return `account ${String(_id)} has balance ${balance}, not ${due}`
  const ids = [...ledger.map((each) => each._id), ...refused].map(String)
  if (new Set(ids).size < ids.length) return `account ${String(_id)} knows a payment twice`
  for (const refundId of new Set(ledger.map(({ causeId }) => causeId))) {
    const of = ledger.filter(({ cause, causeId }) => cause === 'reclaim' && causeId === refundId)
    const debits = of.filter(({ change }) => change < 0).length
    const credits = of.filter(({ change }) => change > 0).length
    if (debits > 1) return `the seller was debited ${debits} times for refund ${refundId}`
    if (credits > debits) return `the seller was credited ${credits} times for refund ${refundId}, debited ${debits}`
  }
  return undefined
}

/** What must hold between documents of different replica sets. They are read one after the other: each only ever grows. */
function checkTogether(books: Books): string | undefined {
  const { charge, given, buyer, seller } = books
  const back = sum(given.map(({ amount }) => amount)) + sum(buyer.ledger.map(({ change }) => change))
  if (back > charge.amount) return `the buyer was given ${back} of ${charge.amount}`
  for (const { _id, amount, origin } of charge.refunds) {
    const id = String(_id)
    const got = gotBy(books, id)
    if (got > amount) return `the buyer was given ${got} by refund ${id} of ${amount}`
    const net = netOf(seller, id)
    if (origin === 'admin' && got > 0 && net !== -amount)
      return `the buyer was given ${got} by refund ${id}, and the seller's balance was changed by ${net}`
  }
  return undefined
}

/** What a refund of ours gave the buyer, by Stripe or to the balance. */
const gotBy = ({ given, buyer, charge }: Books, refundId: string): number => {
  const byStripe = given.filter(({ metadata }) => metadata.refundId === refundId)
  const toBalance = buyer.ledger.filter(({ causeId }) => causeId === refundId)
  const whole = charge.refunds.length > 0 ? buyer.ledger.filter(({ cause }) => cause === 'reversal') : []
  const isWhole = charge.refunds.some(({ _id, amount }) => String(_id) === refundId && amount === charge.amount)
  return sum([
    ...byStripe.map(({ amount }) => amount),
    ...[...toBalance, ...(isWhole ? whole : [])].map(({ change }) => change),
  ])
}

const netOf = ({ ledger }: AccountRow, refundId: string): number =>
  sum(ledger.filter(({ causeId }) => causeId === refundId).map(({ change }) => change))

const FINAL = ['refunded', 'failed', 'rejected']
const SELLER_FINAL = ['none', 'debited', 'owes', 'waived', 'credited']

/** What must hold of every write of a charge: no refund goes, or changes its amount, or comes back from its end. */
export function checkWrite(collection: CollectionName, before: Document | null, after: Document): string | undefined {
  if (collection !== 'charges' || !before) return undefined
  const [from, to] = [before, after] as unknown as [ChargeRow, ChargeRow]
  for (const refund of from.refunds) {
    const now = to.refunds.find(({ _id }) => _id.equals(refund._id))
    const id = String(refund._id)
    if (now?.amount !== refund.amount)
      return `refund ${id} of ${refund.amount} became one of ${now?.amount ?? 'nothing'}`
    if (refund.state === 'rejected' && now.state !== 'rejected') return `the rejected refund ${id} became ${now.state}`
    if (refund.seller === 'credited' && now.seller !== 'credited')
      return `the seller of refund ${id}, once credited, became ${now.seller}`
  }
  if (from.state === 'refunded' && to.state !== 'refunded') return `the refunded charge became ${to.state}`
  return undefined
}

export function isOutstanding(snapshot: Snapshot): boolean {
  const books = booksOf(snapshot)
  if (!books) return false
  const { charge, given } = books
  const known = (stripeId: string) => charge.refunds.some((each) => each.stripeId === stripeId)
  return (
    charge.unseen ||
    charge.refunds.some(({ state, seller }) => !FINAL.includes(state) || !SELLER_FINAL.includes(seller)) ||
    given.some(({ id }) => !known(id)) ||
    (charge.state !== 'refunded' && refundedOf(charge) === charge.amount)
  )
}

const refundedOf = ({ refunds }: ChargeRow): number =>
  sum(refunds.filter(({ state }) => state === 'refunded').map(({ amount }) => amount))

/** When nobody is at work and recovery has run: it all adds up, to the cent. */
export function checkSettled(snapshot: Snapshot): string | undefined {
  const books = booksOf(snapshot)
  if (!books) return 'documents are missing'
  const { charge, buyer, seller, given, stripe } = books
  for (const refund of charge.refunds) {
    const wrong = checkRefund(books, refund)
    if (wrong !== undefined) return wrong
  }
  for (const { id, amount } of given) {
    const records = charge.refunds.filter(({ stripeId, state }) => stripeId === id && state !== 'rejected')
    const taken = sum(records.map((each) => each.amount))
    if (records.length > 1) return `what Stripe gave back by ${id} stands in ${records.length} refunds`
    if (taken !== amount) return `Stripe gave back ${amount} by ${id}, and refunds of ${taken} say so`
  }
  const refunded = refundedOf(charge)
  const back = sum(given.map(({ amount }) => amount)) + sum(buyer.ledger.map(({ change }) => change))
  if (back !== refunded) return `the buyer has ${back} back, and refunds of ${refunded} say so`
  if (stripe && stripe.left !== charge.amount - sum(given.map(({ amount }) => amount))) return 'Stripe lost a cent'
  const borne = sum(charge.refunds.filter((each) => isBorneBySeller(each)).map(({ amount }) => amount))
  if (seller.balance !== seller.opening - borne)
    return `the seller has ${seller.balance} of ${seller.opening}, and refunds take ${borne}`
  const isWhole = refunded === charge.amount
  return isWhole === (charge.state === 'refunded') ? undefined : `${refunded} are refunded, and it is ${charge.state}`
}

const isBorneBySeller = ({ state, seller }: RefundRow): boolean =>
  seller === 'debited' && (state === 'refunded' || state === 'failed')

function checkRefund(books: Books, refund: RefundRow): string | undefined {
  const { _id, amount, state, seller, origin } = refund
  const id = String(_id)
  if (!FINAL.includes(state) || !SELLER_FINAL.includes(seller)) return `refund ${id} is still ${state}, ${seller}`
  const got = gotBy(books, id)
  const due = state === 'refunded' ? amount : 0
  // What Stripe gave back without us has no name of ours: it is compared by Stripe's own id.
  if (origin === 'admin' && got !== due) return `the buyer was given ${got} by the ${state} refund ${id} of ${amount}`
  const net = netOf(books.seller, id)
  const borne = isBorneBySeller(refund) ? -amount : 0
  return net === borne ? undefined : `the ${state} refund ${id} of ${amount} changed the seller's balance by ${net}`
}

/** As presenters show a charge. */
interface Told {
  refunded: number
  refunds: { id: string; state: string }[]
}

/** What promises nothing: refusals, and a driver's error. */
const SILENT = ['deadline_exceeded', 'unavailable', 'refund_not_resolvable']
const SILENT_ERRORS = ['MongoNetworkError']

export function checkEnding(ending: Ending, books: Snapshot, { reasons, asked }: About): string | undefined {
  const [charge] = rows<ChargeRow>(books, 'charges')
  const stateOf = (id: string | undefined) => charge?.refunds.find(({ _id }) => String(_id) === id)?.state
  if ('answered' in ending) {
    const { refunds } = (ending.answered ?? {}) as Partial<Told>
    const lie = refunds?.find(({ id, state }) => ['refunded', 'rejected'].includes(state) && stateOf(id) !== state)
    if (lie) return `told that refund ${lie.id} is ${lie.state}, but it is ${stateOf(lie.id)}`
    const own = refunds?.find(({ id }) => id === asked)
    if (own?.state === 'rejected') return 'told ok, but the refund is rejected'
    return undefined
  }
  const { code, name, details } = ending.failed as Error & { code?: string; details?: { refundId?: string } }
  if (SILENT_ERRORS.includes(name) || (code && SILENT.includes(code))) return undefined
  // What the dashboard is told: Stripe's own no, or nothing.
  if (asked === undefined && (name === 'Unknown' || ending.failed.message.startsWith('Refund amount'))) return undefined
  if (!code || !reasons.includes(code)) return `failed with ${ending.failed.stack ?? ending.failed.message}`
  const state = stateOf(asked)
  const isTrue = details?.refundId === asked ? state === 'rejected' : state === undefined
  return isTrue ? undefined : `told ${code} of refund ${asked}, but it is ${state}`
}

export function outcome(books: Snapshot): string {
  const [charge] = rows<ChargeRow>(books, 'charges')
  const refunds = (charge?.refunds ?? []).map(
    ({ amount, state, seller, reason }) => `${amount} ${state} (${reason}, seller ${seller})`,
  )
  return [charge?.state, ...refunds.sort()].join(', ')
}
