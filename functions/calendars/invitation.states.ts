/** The states of an invitation, and who moves it out of each. */
export const INVITATION_STATES = [
  'invited',
  'confirming',
  'confirmed',
  'cancelling',
  'cancelled',
  'rejected',
  'withdrawn',
] as const
export type InvitationState = (typeof INVITATION_STATES)[number]

/**
 * `invited`: the buyer reschedules or withdraws it, the seller rejects or confirms it.
 * `confirming`: its period is held and its payment under way. Decided by the payment alone: COMMITTED makes it
 * `confirmed`, a refusal `invited` again. Whoever confirms drives it; recoverInvitations drives it on.
 * `confirmed`: buyer, seller and admins cancel it; buyer and seller move it, with each other's consent.
 * `cancelling`: its period is still held, and the money on its way back. Decided by that payment alone: COMMITTED makes
 * it `cancelled`, a refusal (the seller has spent it) `confirmed` again. Driven like `confirming`.
 * The others are final.
 */
export const isOpen = (state: InvitationState): boolean => state === 'invited'

/** What calendars show. */
export const isShown = (state: InvitationState): boolean =>
  state === 'invited' || state === 'confirming' || state === 'confirmed' || state === 'cancelling'

/** What stands in the documents of calendars: cancelled ones too, so that an exported calendar can take them back. */
export const isListed = (state: InvitationState): boolean => isShown(state) || state === 'cancelled'
