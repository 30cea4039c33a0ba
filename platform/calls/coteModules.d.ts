/** The parts of cote and its two libraries that we stand on; they come without types. */

declare module 'cote/src/components/component.js' {
  import type { Socket as AxonSocket } from '@dashersw/axon'
  import type { Discovery } from '@dashersw/node-discover'

  export default class Component {
    constructor(advertisement: Record<string, unknown>, discoveryOptions: Record<string, unknown>)
    advertisement: Record<string, unknown>
    sock: AxonSocket
    discovery: Discovery
    get type(): string
    get oppo(): string
    startDiscovery(): void
    close(): void
  }
}

declare module 'cote/src/components/configurable.js' {
  const mixin: <Base>(base: Base) => Base
  export default mixin
}

declare module '@dashersw/axon' {
  import type { EventEmitter } from 'node:events'
  import type { Server, Socket as NetSocket } from 'node:net'

  export class Socket extends EventEmitter {
    server: Server | null
    type: 'client' | 'server'
    socks: NetSocket[]
    set(name: string, value: unknown): this
    connect(port: number, host: string): this
    onconnect(socket: NetSocket): void
    addSocket(socket: NetSocket): void
    handleErrors(socket: NetSocket): void
    close(): void
  }
}

declare module '@dashersw/node-discover' {
  import type { EventEmitter } from 'node:events'
  import type Network from '@dashersw/node-discover/lib/network.js'

  export interface Node<Advertisement = unknown> {
    id: string
    advertisement: Advertisement
  }

  export interface Discovery extends EventEmitter {
    broadcast: Network
    me: { id: string; advertisement: Record<string, unknown>; processCommand?: string; isMasterEligible: boolean }
    hello(): void
    stop(): void
  }
}

declare module '@dashersw/node-discover/lib/network.js' {
  import type { Socket as UdpSocket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  interface Redis extends EventEmitter {
    status: string
    publish(channel: string, message: string): Promise<unknown>
    disconnect(): void
  }

  export interface RedisSocket extends EventEmitter {
    pub: Redis
    sub: Redis
    send(message: Buffer): void
    close(): void
  }

  export default class Network extends EventEmitter {
    socket: UdpSocket | RedisSocket
    start(callback: (error?: Error) => void): void
    encode(data: unknown, callback: (error: Error | null, bytes: string | null) => void): void
    decode(bytes: Buffer | string, callback: (error: Error | null, data: unknown) => void): void
  }
}
