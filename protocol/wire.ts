import { z } from 'zod'
import { id, time } from '../platform/contract/types.js'

/** What contracts say of the protocol's steps, where an engine takes them in another domain: see remote.ts. */

export const STEP_NAMES = ['apply', 'clear', 'undo', 'void', 'reverse'] as const
export type StepName = (typeof STEP_NAMES)[number]

/** What each participant must know of a booking; it adds what it takes from its own goods. */
export const heldFields = {
  id,
  createdAt: time,
  /** Set on a reversal: the booking that it takes back, and when that was created. */
  reverses: id.optional(),
  originalCreatedAt: time.optional(),
}

/** unknown: the write may have landed, or land later. */
export const outcome = z.enum(['ok', 'refused', 'void', 'unknown'])
