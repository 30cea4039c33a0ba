import { Refusal } from '../../platform/contract/errors.js'

const HOUR_MS = 3_600_000

/** Started hours times price, in minor units. */
export function costOf(pricePerHour: number, { from, to }: { from: Date; to: Date }): number {
  const hours = Math.ceil((to.getTime() - from.getTime()) / HOUR_MS)
  const cost = hours * pricePerHour
  if (!Number.isSafeInteger(cost)) {
    throw new Refusal('invalid_input', 'The input breaks the contract.', {
      issues: [{ path: 'to', message: 'the cost of so long a period would pass 2^53 - 1' }],
    })
  }
  return cost
}
