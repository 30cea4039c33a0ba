import type { Config } from '../../config/index.js'

/** Where clients on this machine connect: a gateway on all interfaces is on the loopback too. */
export function gatewayUrl({ gateway: { host, port } }: Config): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
