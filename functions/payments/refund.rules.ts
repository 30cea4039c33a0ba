import type { ChargeDocument, RefundDocument } from './charge.model.js'
import { OPEN_CHARGES, type RefundState, type SellerState } from './charge.states.js'

/** What a charge and its refunds amount to, as plain functions of the document. Money in minor units. */

type Money = Pick<ChargeDocument, 'amount' | 'received' | 'left' | 'refunds'>

export const receivedOf = ({ amount, received }: Pick<ChargeDocument, 'amount' | 'received'>): number =>
  received ?? amount

const sumOf = (refunds: readonly RefundDocument[], states: readonly RefundState[]): number =>
  refunds.reduce((sum, { amount, state }) => sum + (states.includes(state) ? amount : 0), 0)

/** What the buyer has got back. */
export const refundedOf = ({ refunds }: Money): number => sumOf(refunds, ['refunded'])

export const isWhollyRefunded = (charge: Money): boolean =>
  charge.refunds.some(({ state }) => state === 'refunded') && refundedOf(charge) === receivedOf(charge)

/** Null: every refund that stands has its amount, and what is left is the rest of what was received. */
export function misfit(charge: Money): string | null {
  const standing = charge.refunds.reduce((sum, { amount, state }) => sum + (state === 'rejected' ? 0 : amount), 0)
  const received = receivedOf(charge)
  if (charge.left >= 0 && standing + charge.left === received) return null
  return `${received} were received, refunds of ${standing} stand, and ${charge.left} are left`
}

/** Stripe has still to say whether it makes it. Of what it gave back meanwhile, this may have the amount. */
export const isBeingSent = ({ state, via }: RefundDocument): boolean =>
  via === 'stripe' && (state === 'waiting' || state === 'sending')

const MOVING: readonly RefundState[] = ['waiting', 'sending', 'pending', 'disputed']
const SELLER_MOVING: readonly SellerState[] = ['debiting', 'crediting']

const isMoving = ({ state, seller }: RefundDocument): boolean =>
  MOVING.includes(state) || SELLER_MOVING.includes(seller)

/** Whether recovery has to look at it. */
export const needsDriving = (charge: ChargeDocument): boolean =>
  OPEN_CHARGES.includes(charge.state) ||
  charge.unseen ||
  charge.refunds.some(isMoving) ||
  (charge.state === 'settled' && isWhollyRefunded(charge))

/** Whether somebody owes money that only an admin can see to, or recovery has given up. */
export const needsAdmin = ({ parked, refunds }: Pick<ChargeDocument, 'parked' | 'refunds'>): boolean =>
  parked || refunds.some(({ state, seller }) => state === 'failed' || seller === 'owes')

/** A dispute that is not decided: Stripe refunds nothing of its charge meanwhile. One of amount 0 is only a question. */
export const isDisputed = ({ refunds }: Pick<ChargeDocument, 'refunds'>): boolean =>
  refunds.some(({ state, amount }) => state === 'disputed' && amount > 0)
