import { Refusal } from '../../platform/contract/errors.js'
import type { System } from '../../platform/runtime/system.js'

/**
 * What a booking leaves in its thing and its user is remembered for a day at least (protocol.md), and a document that came
 * to the database's 16 MB could neither take money nor give it back. So well before that nothing new is registered: what
 * is under way then still fits by far.
 */
export function assertRemembersMore({ config }: Pick<System, 'config'>, of: string, bytes: number): void {
  if (bytes <= config.maxDocumentBytes) return
  throw new Refusal('too_many_bookings', `The ${of} remembers too many bookings of late to take another one.`, { of })
}
