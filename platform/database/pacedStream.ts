import type { mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A waiting change stream is woken by whatever is written, and answers with the first change that it finds. So under
 * load each change would cost a round trip, and the server a look for it at every write. With a pause behind each answer
 * the first change still comes at once, and the next answer has all that came meanwhile.
 */
const PAUSE_MS = 30

/**
 * How long a stream waits inside the server for the next change. By default that is a second, and every stream would ask
 * again each second of an idle day; longer than the driver's socket timeout (5 s), and it would be taken for dead.
 */
export const STREAM_WAIT_MS = 4000

/**
 * The changes of a stream. Ends when it is closed, rejects when it is lost. `begun`: the server watches from now on. The
 * driver's stream emits no `init`, only its cursor does; the first resume token says the same.
 */
export async function* paced<T extends mongo.Document, C extends mongo.Document>(
  stream: mongo.ChangeStream<T, C>,
  begun: () => void = () => {},
): AsyncGenerator<C> {
  stream.once('resumeTokenChanged', begun)
  for await (const change of stream) {
    yield change
    if (stream.bufferedCount() === 0) await sleep(PAUSE_MS)
  }
}
