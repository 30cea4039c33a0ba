import type { CallInput } from '../../platform/contract/contract.js'
import type { System } from '../../platform/runtime/system.js'
import type { Held, Participant, Vote } from '../../protocol/participant.js'
import { remoteSteps } from '../../protocol/remote.js'
import type { Id } from '../../protocol/store.js'
import { users } from './contract.js'

type Step = CallInput<typeof users.moveFunds>['steps'][number]

/**
 * Users as participants, for engines in other domains: behind calls to `moveFunds`.
 */
export function remoteUser<B extends Held>(
  system: System,
  side: Step['side'],
  fundsOf: (booking: B) => { userId: Id; cost: number },
): Participant<B> {
  const send = remoteSteps<Step, Vote>(system, 'moveFunds', async (steps) => {
    const origin = { caller: null, requestId: system.newId() }
    return (await system.call(users.moveFunds, { steps }, origin)).outcomes
  })

  const take = (step: Step['step'], held: B): Promise<Vote> => {
    const { userId, cost } = fundsOf(held)
    return send({
      step,
      side,
      booking: {
        id: held._id.toHexString(),
        userId: userId.toHexString(),
        cost,
        createdAt: held.createdAt.toISOString(),
        ...(held.reverses && { reverses: held.reverses.toHexString() }),
        ...(held.originalCreatedAt && { originalCreatedAt: held.originalCreatedAt.toISOString() }),
      },
    })
  }
  const step = (name: Step['step']) => async (held: B) => {
    await take(name, held)
  }
  return {
    apply: (held) => take('apply', held),
    clear: step('clear'),
    undo: step('undo'),
    void: step('void'),
    reverse: step('reverse'),
  }
}
