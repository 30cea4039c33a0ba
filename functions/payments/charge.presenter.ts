import type { z } from 'zod'
import type { Context } from '../../platform/runtime/function.js'
import type { ChargeDocument } from './charge.model.js'
import type { charge } from './contract.js'
import { refundedOf } from './refund.rules.js'

type Viewer = 'buyer' | 'admin'

export const viewerOf = ({ caller }: Pick<Context, 'caller'>): Viewer => (caller?.role === 'user' ? 'buyer' : 'admin')

/** As a buyer may see it, and as events tell it; what concerns the seller and recovery is for admins and the system. */
export const presentCharge = (c: ChargeDocument, viewer: Viewer = 'buyer'): z.output<typeof charge> => ({
  id: c._id.toHexString(),
  orderId: c.orderId.toHexString(),
  userId: c.userId.toHexString(),
  amount: c.amount,
  method: c.method,
  state: c.state,
  ...(c.reason !== undefined && { reason: c.reason }),
  ...(c.state === 'pending' && c.clientSecret !== undefined && { clientSecret: c.clientSecret }),
  refunded: refundedOf(c),
  refunds: c.refunds.map((r) => ({
    id: r._id.toHexString(),
    amount: r.amount,
    origin: r.origin,
    state: r.state,
    reason: r.reason,
    ...(viewer === 'admin' && {
      seller: r.seller,
      ...(r.stripeId !== undefined && { stripeId: r.stripeId }),
      ...(r.stripeStatus !== undefined && { stripeStatus: r.stripeStatus }),
    }),
    createdAt: r.createdAt.toISOString(),
    lastModified: r.lastModified.toISOString(),
  })),
  ...(viewer === 'admin' && { parked: c.parked, attention: c.attention }),
  version: c.version,
  createdAt: c.createdAt.toISOString(),
  lastModified: c.lastModified.toISOString(),
})
