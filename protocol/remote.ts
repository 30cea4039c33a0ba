import mongoose from 'mongoose'
import type { z } from 'zod'
import { coalesce } from '../platform/lib/coalesce.js'
import type { Context } from '../platform/runtime/function.js'
import type { Origin, System } from '../platform/runtime/system.js'
import type { Held, Participant, Vote } from './participant.js'
import { Unknown } from './store.js'
import type { heldFields, StepName } from './wire.js'

const { ObjectId } = mongoose.Types

/** Both ends of a participant in another domain: an engine's steps on it travel as one internal operation. */

type HeldOnTheWire = z.output<z.ZodObject<typeof heldFields>>

/**
 * The calling end: steps that an operation of another domain takes. Those of concurrent bookings share a message, as
 * their writes share a journal flush. A lost call leaves each of its steps unknown, and so does what took too long.
 */
export const remoteSteps = <S, O>(
  { config, newId }: Pick<System, 'config' | 'newId'>,
  operation: string,
  call: (steps: S[], origin: Origin) => Promise<(O | 'unknown')[]>,
): ((step: S) => Promise<O>) =>
  coalesce<S, O>(
    async (steps) => {
      const outcomes = await call(steps, { caller: null, requestId: newId() }).catch((error: unknown) => {
        throw new Unknown(`${operation}: ${(error as Error).message}`, { cause: error })
      })
      return outcomes.map((outcome) => (outcome === 'unknown' ? new Unknown(`${operation}: outcome unknown`) : outcome))
    },
    {
      maxBatch: 256,
      maxInFlight: 4,
      timeoutMs: config.deadlinesMs.step,
      onTimeout: () => new Unknown(`${operation}: no answer in time`),
    },
  )

/** The participant that such steps add up to. */
export function remoteParticipant<B extends Held>(take: (step: StepName, booking: B) => Promise<Vote>): Participant<B> {
  const step = (name: StepName) => async (booking: B) => {
    await take(name, booking)
  }
  return {
    apply: (booking) => take('apply', booking),
    clear: step('clear'),
    undo: step('undo'),
    void: step('void'),
    reverse: step('reverse'),
  }
}

export const toWire = ({ _id, createdAt, reverses, originalCreatedAt }: Held): HeldOnTheWire => ({
  id: _id.toHexString(),
  createdAt: createdAt.toISOString(),
  ...(reverses && { reverses: reverses.toHexString() }),
  ...(originalCreatedAt && { originalCreatedAt: originalCreatedAt.toISOString() }),
})

export const fromWire = ({ id, createdAt, reverses, originalCreatedAt }: HeldOnTheWire): Held => ({
  _id: new ObjectId(id),
  createdAt: new Date(createdAt),
  ...(reverses && { reverses: new ObjectId(reverses) }),
  ...(originalCreatedAt && { originalCreatedAt: new Date(originalCreatedAt) }),
})

/**
 * The answering end: takes each step. Each has an outcome of its own: what went wrong with one must not hide what is
 * known of the others.
 */
export const answerSteps = <S extends { step: string; booking: { id: string } }, O>(
  { log }: Pick<Context, 'log'>,
  steps: readonly S[],
  take: (step: S) => Promise<O>,
): Promise<(O | 'unknown')[]> =>
  Promise.all(
    steps.map(async (each) => {
      try {
        return await take(each)
      } catch (error) {
        const about = { step: each.step, bookingId: each.booking.id }
        if (error instanceof Unknown) log.warn({ ...about, why: error.message }, 'outcome unknown')
        else log.error({ ...about, err: error }, 'step failed')
        return 'unknown'
      }
    }),
  )

/** One step of a participant here. Only an apply can be refused. */
export async function takeStep<B extends Held>(of: Participant<B>, step: StepName, booking: B): Promise<Vote> {
  if (step === 'apply') return of.apply(booking)
  await of[step](booking)
  return 'ok'
}
