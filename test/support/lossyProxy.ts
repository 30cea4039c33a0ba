import type { ExecutionContext } from 'ava'
import { startProxy } from '../../proof/support/proxy.js'

/** A way to a mongod on which replies can be lost. */
export interface LossyProxy {
  uri: string
  /** The next reply does not arrive: the mongod did what was asked, and the connection breaks. */
  loseOneReply(): void
}

/** In front of the one mongod that the URI names; gone when the test ends. */
export async function lossyProxy(t: ExecutionContext, directUri: string): Promise<LossyProxy> {
  const uri = new URL(directUri)
  let toLose = 0
  const proxy = await startProxy({ targetPort: Number(uri.port), random: () => (toLose-- > 0 ? 0 : 1) })
  t.teardown(() => proxy.close())
  uri.port = String(proxy.port)
  // The replica set would tell the way past the proxy.
  uri.searchParams.delete('replicaSet')
  uri.searchParams.set('directConnection', 'true')
  proxy.disturb({ delayMs: 0, dropReplies: 0.5 })
  return {
    uri: uri.href,
    loseOneReply: () => {
      toLose = 1
    },
  }
}
