import type { Socket } from 'socket.io-client'
import type { Result } from '../../../platform/contract/errors.js'
import { signToken } from '../../../platform/runtime/tokens.js'
import { listenToNews } from '../news.js'
import { ask, connectAll } from '../sockets.js'
import { ADMIN, USERS, userIdOf } from '../workload.js'
import { ACCEPTED, outcomeOf, violationsOf, type Arm, type ArmNumber } from './arm.js'
import { inputOf } from './inProcess.js'
import type { Installation } from './installation.js'

/** Arms 4 and 6: every user of the workload is a client of the gateway, with a connection and a token of their own. */
export async function endToEndArm(installation: Installation, number: ArmNumber = 6): Promise<Arm> {
  const { config, url, processes } = installation
  const token = (n: number, role: 'user' | 'admin') =>
    signToken({ userId: userIdOf(n).toHexString(), role, tokenVersion: 0 }, config, new Date())
  const users = await connectAll(url, USERS, async (n) => ({ token: await token(n, 'user') }))
  const [admin] = await connectAll(url, 1, async () => ({ token: await token(ADMIN, 'admin') }))

  async function askAdmin(operation: string, input: object): Promise<unknown> {
    const answer = (await ask(admin as Socket, operation, input)) as Result<unknown>
    if (!answer.ok) throw new Error(`${operation}: ${answer.error.code}`)
    return answer.data
  }

  return {
    number,
    async book(request) {
      try {
        const answer = await ask(users[request.user] as Socket, 'createBooking', inputOf(request))
        const result = answer as Result<unknown>
        return result.ok ? ACCEPTED : outcomeOf(result.error.code)
      } catch {
        return { result: 'failed', why: 'no answer' }
      }
    },
    productPids: () => processes.flatMap(({ pids }) => pids),
    ask: askAdmin,
    news: listenToNews(users),
    async audit() {
      const ended = await installation.ended()
      return [...(await violationsOf(askAdmin)), ...ended.map((name) => `${name} has ended`)]
    },
    close() {
      for (const socket of [...users, admin]) socket?.disconnect()
      return Promise.resolve()
    },
  }
}
