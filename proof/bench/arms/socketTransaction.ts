import { fileURLToPath } from 'node:url'
import type { Socket } from 'socket.io-client'
import { startProcess } from '../processes.js'
import { ask, connectAll } from '../sockets.js'
import { PRICE, USERS, userIdOf } from '../workload.js'
import { asksNothing, type Arm, type Outcome } from './arm.js'
import { inputOf } from './inProcess.js'

const SERVER = fileURLToPath(new URL('./transactionServer.js', import.meta.url))

/** Arm 5: what a user would write instead of arm 4. */
export async function socketTransactionArm(uri: string, logFile: string): Promise<Arm> {
  const server = await startProcess('transaction server', SERVER, { args: [uri], logFile })
  const { port } = server.message as { port: number }
  const users = await connectAll(`http://127.0.0.1:${port}`, USERS, (n) => ({
    userId: userIdOf(n).toHexString(),
    price: PRICE,
  }))
  return {
    number: 5,
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
