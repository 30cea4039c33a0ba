import { connect, type Holdfast } from '../../client/src/index.js'
import type { Config } from '../../config/index.js'

/** Where clients on this machine connect: a gateway on all interfaces is on the loopback too. */
export function gatewayUrl({ gateway: { host, port } }: Config): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** A person waits. */
const CONNECT_MS = 2000

/** Works on the running system by a connection of its own. */
export async function withClient(
  config: Config,
  token: string,
  work: (client: Holdfast) => Promise<void>,
): Promise<void> {
  const client = await connect(gatewayUrl(config), { token, deadlineMs: CONNECT_MS })
  try {
    await work(client)
  } finally {
    client.close()
  }
}
