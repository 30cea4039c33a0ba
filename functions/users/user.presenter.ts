import type { Output } from '../../platform/contract/contract.js'
import type { users } from './contract.js'
import type { UserDocument } from './user.model.js'

/** Of a busy user's tens of thousands; listBookings has them all, page by page. */
const SHOWN = 100

/** What clients may see of a user: never read more, the ledger and the transfers of a busy user are long. */
export const USER_FIELDS = {
  name: 1,
  email: 1,
  role: 1,
  balance: 1,
  bookings: 1,
  pendingBookings: 1,
  version: 1,
  createdAt: 1,
  updatedAt: 1,
} as const

export type VisibleUser = Pick<UserDocument, '_id' | keyof typeof USER_FIELDS>

export const presentUser = (user: VisibleUser): Output<typeof users.getUser> => ({
  id: user._id.toHexString(),
  name: user.name,
  email: user.email,
  role: user.role,
  balance: user.balance,
  bookings: user.bookings.slice(-SHOWN).map((each) => each.toHexString()),
  pendingBookings: user.pendingBookings.slice(-SHOWN).map((each) => each.toHexString()),
  version: user.version,
  createdAt: user.createdAt.toISOString(),
  updatedAt: user.updatedAt.toISOString(),
})
