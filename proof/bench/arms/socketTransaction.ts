import { fileURLToPath } from 'node:url'
import type { Socket } from 'socket.io-client'
import { startProcess } from '../processes.js'
import { ask, connectAll } from '../sockets.js'
import { PRICE, USERS, userIdOf } from '../workload.js'
import { asksNothing, type Arm, type ArmNumber, type Outcome } from './arm.js'
import { inputOf } from './inProcess.js'

const SERVER = fileURLToPath(new URL('./transactionServer.js', import.meta.url))

/** How the server books, by arm. */
const WAYS = { 5: 'mongodb', 7: 'postgres', 8: 'postgres-batches' } as const satisfies Partial<
  Record<ArmNumber, string>
>

/** Arms 5, 7 and 8: what a user would write instead of arm 4. */
export async function socketTransactionArm(number: keyof typeof WAYS, uri: string, logFile: string): Promise<Arm> {
  const server = await startProcess('transaction server', SERVER, { args: [WAYS[number], uri], logFile })
  const { port } = server.message as { port: number }
  const users = await connectAll(`http://127.0.0.1:${port}`, USERS, (n) => ({
    userId: userIdOf(n).toHexString(),
    price: PRICE,
  }))
  return {
    number,
    async book(request) {
      try {
        return (await ask(users[request.user] as Socket, 'createBooking', inputOf(request))) as Outcome
      } catch {
        return { result: 'failed', why: 'no answer' }
      }
    },
    productPids: () => server.pids,
    ask: asksNothing,
    audit: () => Promise.resolve([]),
    async close() {
      for (const socket of users) socket.disconnect()
      await server.stop()
    },
  }
}
