import type { Logger } from 'pino'
import type { Caller } from '../contract/caller.js'
import type { CallInput, HandlerInput, Operation, Output } from '../contract/contract.js'
import type { System } from './system.js'

/** What a handler gets besides its input. Time, ids and the database come from here, so that tests decide them. */
export interface Context extends Pick<System, 'config' | 'now' | 'newId' | 'model' | 'use' | 'survey' | 'goOn'> {
  /** null: anonymous, or the system itself (a job). */
  caller: Caller | null
  /** Stands for where the request came from, where that matters, and says nothing else of it; null: from inside. */
  address: string | null
  /** The network address itself, where `address` stands for one: only to be shown to the user whose request it is. */
  network: string | null
  requestId: string
  /** When the caller stops waiting, ms since 1970 by this host's clock. Liveness only. */
  deadlineAt: number
  /** What is left of it, ms; 0 when it is over. */
  remainingMs(): number
  /** Whether anybody still waits for the answer. Reads may stop when nobody does; what writes must not care. */
  isWanted(): boolean
  log: Logger
  /** Calls another function for the same caller, within what is left of the deadline. Refusals are thrown. */
  call<Op extends Operation>(operation: Op, input: CallInput<Op>): Promise<Output<Op>>
}

export interface FunctionDefinition<Op extends Operation = Operation> {
  operation: Op
  handler: (ctx: Context, input: HandlerInput<Op>) => Promise<Output<Op>>
}

/**
 * A function: the default export of `functions/<domain>/<operation>.ts`. The runtime has checked the input's shape and
 * the caller's role against the contract before the handler runs. The handler keeps to five parts in this order:
 * contract, authorise, check, write, reply; no check follows the first write.
 */
export const define = <Op extends Operation>(
  operation: Op,
  handler: FunctionDefinition<Op>['handler'],
): FunctionDefinition<Op> => ({ operation, handler })
