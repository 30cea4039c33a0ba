import { pino } from 'pino'
import { bookings } from '../../../functions/bookings/contract.js'
import { Refusal } from '../../../platform/contract/errors.js'
import { createSystem } from '../../../platform/runtime/system.js'
import { domainsWithDatabase, loadContracts, loadFunctions } from '../../../platform/runtime/tree.js'
import { loadConfig } from '../../../config/index.js'
import type { BookingRequest } from '../workload.js'
import { ACCEPTED, outcomeOf, violationsOf, type Arm } from './arm.js'

export const callerOf = ({ userId }: BookingRequest) => ({ userId: userId.toHexString(), role: 'user' as const })

export const inputOf = (request: BookingRequest) => ({
  bookingId: request.bookingId.toHexString(),
  carId: request.carId.toHexString(),
  from: request.from.toISOString(),
  to: request.to.toISOString(),
})

/** Arm 3: every function of the tree in this process, logging as it would to PM2. */
export async function inProcessArm(env: Record<string, string>, logFile: string): Promise<Arm> {
  const config = loadConfig(env)
  const log = pino({ level: config.logLevel }, pino.destination({ dest: logFile, sync: false }))
  const system = createSystem({ config, log, functions: await loadFunctions() })
  await system.databases.connect(domainsWithDatabase())
  const contracts = await loadContracts()
  const ask = (name: string, input: object): Promise<unknown> => {
    const operation = contracts.get(name)
    if (!operation) throw new Error(`no operation ${name}`)
    return system.call(operation, input, { caller: null, requestId: system.newId() })
  }

  return {
    number: 3,
    book: (request) =>
      system
        .call(bookings.createBooking, inputOf(request), { caller: callerOf(request), requestId: system.newId() })
        .then(
          () => ACCEPTED,
          (error: unknown) => outcomeOf(error instanceof Refusal ? error.code : 'internal'),
        ),
    productPids: () => [],
    ask,
    audit: () => violationsOf(ask),
    close: () => system.close(),
  }
}
