import test from 'ava'
import { z } from 'zod'
import { id } from '../../../platform/contract/types.js'
import type { Operation } from '../../../platform/contract/contract.js'
import { loadContracts } from '../../../platform/runtime/tree.js'

/** Every operation that writes to something that its input names says what its calls meet by: see `key` of a contract. */

const READS = /^(get|list|find|read|trace|export|check|audit|report(?!Presence))/

const bare = (type: z.ZodType): unknown =>
  type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodNullable
    ? bare(type.unwrap() as z.ZodType)
    : type

/** Those fields of its input that hold the id of something that is there already. */
function idsOf({ input, newId }: Operation): string[] {
  const shape = input instanceof z.ZodObject ? (input.shape as Record<string, z.ZodType>) : {}
  return Object.keys(shape).filter(
    (field) => field !== newId && (bare(shape[field] as z.ZodType) === id || field === 'feed'),
  )
}

/** Those that have one key for all: what comes together in the memory of one process. */
const TOGETHER = ['shareUse']

/** Sweeps work through whatever they find; whoever hashes a password goes where there is room. */
const needsNone = ({ name, deadline, passwords }: Operation): boolean =>
  READS.test(name) || TOGETHER.includes(name) || deadline === 'sweep' || passwords !== undefined

const contracts = [...(await loadContracts()).values()]

for (const operation of contracts) {
  const { domain, name, key, subscribes } = operation
  const ids = idsOf(operation)
  if (subscribes) {
    test(`${domain}.${name} meets by what the event is about`, (t) => {
      t.is(key?.({ eventId: 'event', aggregate: { type: 'booking', id: 'about' } }), 'about')
    })
  } else if (!needsNone(operation) && ids.length > 0) {
    test(`${domain}.${name} meets by ${ids.join(' or ')}`, (t) => {
      const named = ids.map((field) => key?.({ [field]: field }))
      t.true(
        named.some((each) => each !== undefined),
        'name what it writes to by `key` in its contract',
      )
      for (const each of named) if (each !== undefined) t.true(ids.includes(each))
    })
  }
}

test('bookings meet by what they book', (t) => {
  const keyOf = (name: string, input: object) => contracts.find((each) => each.name === name)?.key?.(input)
  const others = { bookingId: 'booking', userId: 'user', maxCost: 1 }
  t.is(keyOf('createBooking', { ...others, carId: 'car' }), 'car')
  t.is(keyOf('createBooking', { ...others, roomId: 'room' }), 'room')
  t.is(keyOf('startBooking', { ...others, trainId: 'train' }), 'train')
  t.is(keyOf('startBooking', { ...others, lobbyId: 'lobby' }), 'lobby')
})

test('what shares calls or memory meets with all others of its kind', (t) => {
  for (const name of ['moveFunds', 'moveSeats', ...TOGETHER]) {
    const key = contracts.find((each) => each.name === name)?.key
    t.is(typeof key?.({}), 'string', name)
  }
})
