import type { z } from 'zod'
import type { ChargeDocument, RefundDocument } from './charge.model.js'
import type { adminAlert } from '../events/contract.js'

/** What admins are told of a charge, with who owes whom: the event that tells of the change carries it. */
export type Alert = z.output<typeof adminAlert>

const about = (charge: ChargeDocument, refund?: Partial<Pick<RefundDocument, '_id' | 'amount'>>) => ({
  chargeId: charge._id.toHexString(),
  ...(refund?._id && { refundId: refund._id.toHexString() }),
  amount: refund?.amount ?? charge.amount,
})

export const disputeOpened = (charge: ChargeDocument, amount: number, status: string): Alert => ({
  name: 'charge:disputed',
  message: `The buyer's bank disputes ${amount} (${status}): answer it in Stripe's dashboard.`,
  ...about(charge, { amount }),
})

export const refundFailed = (charge: ChargeDocument, refund: RefundDocument, why: string): Alert => ({
  name: 'refund:failed',
  message: `We owe the buyer ${refund.amount}: Stripe could not give it back (${why}). resolveRefund ends it.`,
  ...about(charge, refund),
})

export const sellerOwes = (charge: ChargeDocument, refund: RefundDocument): Alert => ({
  name: 'refund:owed',
  message: `The seller owes us ${refund.amount}, which the buyer has got back. resolveRefund collects or waives it.`,
  ...about(charge, refund),
})

export const mismatched = (charge: ChargeDocument, received: number): Alert => ({
  name: 'charge:mismatched',
  message: `Stripe received ${received} instead of ${charge.amount}: it goes back to the buyer.`,
  ...about(charge),
})

export const chargeParked = (charge: ChargeDocument, failures: number, why: string): Alert => ({
  name: 'charge:parked',
  message: `Recovery failed ${failures} times and has given up (${why}). recoverCharges tries it again.`,
  ...about(charge),
})
