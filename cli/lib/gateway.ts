import type { Holdfast } from '../../client/src/index.js'
import type { Config } from '../../config/index.js'

/** Where clients on this machine connect: a gateway on all interfaces is on the loopback too. */
export const gatewayHost = ({ gateway: { host } }: Config): string =>
  ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[host] ?? host

export function gatewayUrl(config: Config): string {
  const reachable = gatewayHost(config)
  const { port } = config.gateway
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** A person waits. */
const CONNECT_MS = 2000

/** Works on the running system by a connection of its own. */
export async function withClient<R>(config: Config, token: string, work: (client: Holdfast) => Promise<R>): Promise<R> {
  const { connect } = await import('../../client/src/index.js')
  const client = await connect(gatewayUrl(config), { token, deadlineMs: CONNECT_MS })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}
