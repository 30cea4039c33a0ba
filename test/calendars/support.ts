import { calendars } from '../../functions/calendars/contract.js'
import { calendarProjection } from '../../functions/calendars/calendar.projection.js'
import { users } from '../../functions/users/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { HOUR_MS, START, type TestSystem } from '../support/system.js'

export const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()
export const hours = (from: number, to: number) => ({ from: at(from), to: at(to) })

/** Brings the view up to date. */
export async function project(system: TestSystem): Promise<void> {
  while ((await system.use(calendarProjection).advance()) > 0);
}

export const balanceOf = async (system: TestSystem, { userId }: { userId: string }): Promise<number> =>
  (await system.run(users.getUser, { userId })).balance

export interface Appointment {
  id: string
  buyer: Caller
  seller: Caller
}

/** A confirmed invitation, paid where it has a price: the buyer has nothing left, the seller has the price. */
export async function makeAppointment(
  system: TestSystem,
  { price = 0, from = 24, to = from + 1 }: { price?: number; from?: number; to?: number } = {},
): Promise<Appointment> {
  const [buyer, seller] = [await system.makeUser({ balance: price }), await system.makeUser()]
  const input = { sellerId: seller.userId, ...hours(from, to), note: '', price }
  const { id } = await system.run(calendars.inviteToBooking, input, buyer)
  await system.run(calendars.confirmInvitation, { invitationId: id }, seller)
  return { id, buyer, seller }
}
