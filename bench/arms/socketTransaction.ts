import { fileURLToPath } from 'node:url'
import { startProcess } from '../processes.js'
import { ask, connectAll } from '../sockets.js'
import { PRICE, USERS, userIdOf } from '../workload.js'
import { asksNothing, type Arm } from './arm.js'
import { Refused } from './documents.js'
import { inputOf } from './inProcess.js'

const SERVER = fileURLToPath(new URL('transactionServer.js', import.meta.url))

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
      const socket = users[request.user]
      if (!socket) return 'failed'
      try {
        const answer = (await ask(socket, 'createBooking', inputOf(request))) as { ok: boolean; error?: string }
        if (answer.ok) return 'accepted'
        return answer.error === Refused.name ? 'refused' : 'failed'
      } catch {
        return 'failed'
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
