/** The states of an invitation, and who moves it out of each. */
export const INVITATION_STATES = ['invited', 'confirming', 'confirmed', 'rejected', 'withdrawn'] as const
export type InvitationState = (typeof INVITATION_STATES)[number]

/**
 * `invited`: the buyer reschedules or withdraws it, the seller rejects or confirms it.
 * `confirming`: its period is held and its payment under way. Decided by the payment alone: COMMITTED makes it
 * `confirmed`, a refusal `invited` again. Whoever confirms drives it; recoverInvitations drives it on.
 * The others are final.
 */
export const isOpen = (state: InvitationState): boolean => state === 'invited'

/** What stands in calendars. */
export const isListed = (state: InvitationState): boolean =>
  state === 'invited' || state === 'confirming' || state === 'confirmed'
