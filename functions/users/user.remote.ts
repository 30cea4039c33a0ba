import type { CallInput } from '../../platform/contract/contract.js'
import type { System } from '../../platform/runtime/system.js'
import type { Held, Participant, Vote } from '../../protocol/participant.js'
import { remoteParticipant, remoteSteps, toWire } from '../../protocol/remote.js'
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
  const send = remoteSteps<Step, Vote>(
    system,
    'moveFunds',
    async (steps, origin) => (await system.call(users.moveFunds, { steps }, origin)).outcomes,
  )
  return remoteParticipant((step, held) => {
    const { userId, cost } = fundsOf(held)
    return send({ step, side, booking: { ...toWire(held), userId: userId.toHexString(), cost } })
  })
}
