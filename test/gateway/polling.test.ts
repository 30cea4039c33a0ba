import test from 'ava'
import { io } from 'socket.io-client'
import { startGateway } from './support.js'

test('the stock client, which begins with polling, is told in a sentence that websockets are wanted', async (t) => {
  const { port } = await startGateway(t)
  const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, reconnection: false })
  t.teardown(() => socket.disconnect())
  const error = await new Promise<Error & { data?: unknown }>((resolve) => socket.once('connect_error', resolve))
  t.is(error.message, "This gateway takes websockets only: connect with { transports: ['websocket'] }.")
  t.like(error.data, { code: 'invalid_input', retryable: false })
})
