import type { z } from 'zod'
import type { order, orderNews } from './contract.js'
import type { OrderDocument } from './order.model.js'

export const presentOrder = (o: OrderDocument): z.output<typeof order> => ({
  id: o._id.toHexString(),
  userId: o.userId.toHexString(),
  ticketId: o.ticketId.toHexString(),
  price: o.price,
  state: o.state,
  ...(o.reason !== undefined && { reason: o.reason }),
  expiresAt: o.expiresAt.toISOString(),
  ...(o.chargeId && { chargeId: o.chargeId.toHexString() }),
  version: o.version,
  createdAt: o.createdAt.toISOString(),
  updatedAt: o.updatedAt.toISOString(),
})

/** With what other domains need, and clients do not. */
export const presentOrderNews = (o: OrderDocument): z.output<typeof orderNews> => ({
  ...presentOrder(o),
  sellerId: o.sellerId.toHexString(),
  hold: o.hold,
})
