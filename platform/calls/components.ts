import axon from '@dashersw/axon'
import type { Discovery } from '@dashersw/node-discover'
import Network, { type RedisSocket } from '@dashersw/node-discover/lib/network.js'
import Component from 'cote/src/components/component.js'
import Configurable from 'cote/src/components/configurable.js'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { isIP, type Server, type Socket } from 'node:net'
import type { Config } from '../../config/index.js'
import { openText, sealText, type Key } from './frames.js'
import { clusterKeyOf } from './session.js'
import type { LogOnce } from '../lib/logOnce.js'

/**
 * Our own two cote components. cote's Requester and Responder can do neither what we need (authenticate, bind to one
 * interface, route by operation, survive rubbish) nor be bent to it: a Responder looks for its port by listening on
 * every interface. What stays cote's: components, advertisements, discovery, axon's connections.
 *
 * The modules are imported one by one, because cote's main loads a monitoring web server and reads COTE_* settings.
 */

/** What a host says of itself in each hello. */
export interface Advertisement {
  app: string
  /** `<domain>.<operation>` */
  operations: string[]
  /** Where callers connect; the address that a hello came from says nothing. */
  host: string
  port: number
  /** It is about to stop: no new calls. */
  draining: boolean
}

export interface Hello {
  id: string
  advertisement: Partial<Advertisement> & { axon_type: string }
}

const HELLO_INTERVAL_MS = 2000

abstract class HoldfastComponent extends Configurable(Component) {
  protected constructor(advertisement: Partial<Advertisement>, config: Config, announces: boolean) {
    const { mode, address, port, redisUrl } = config.discovery
    super(
      { name: 'holdfast', key: 'holdfast', ...advertisement },
      {
        port,
        helloInterval: HELLO_INTERVAL_MS,
        client: !announces,
        server: announces,
        log: false,
        // Bound to the group's own address the socket hears the group alone, on no other interface.
        ...(mode !== 'redis' && { address }),
        ...(mode === 'broadcast' && { broadcast: address }),
        ...(mode === 'multicast' && { multicast: address }),
        ...(mode === 'redis' && { redis: { url: redisUrl, maxRetriesPerRequest: null } }),
      },
    )
    this.sock = new axon.Socket()
    this.sock.set('retry timeout', 0)
    // axon would read frames of any length, of anyone; a session does that instead.
    this.sock.addSocket = (socket) => void this.sock.socks.push(socket)
    // Errors of one connection end that connection, which its 'close' tells.
    this.sock.on('error', () => {})
  }
}

export class CallerComponent extends HoldfastComponent {
  constructor(config: Config) {
    super({}, config, false)
  }
  override get type() {
    return 'req'
  }
  override get oppo() {
    return 'rep'
  }

  /** Connects; the socket is told at once, before it is known whether that works. */
  connect(port: number, host: string): Socket {
    let made: Socket | undefined
    const { handleErrors } = this.sock
    this.sock.handleErrors = (socket) => {
      made = socket
      handleErrors.call(this.sock, socket)
    }
    this.sock.connect(port, host)
    this.sock.handleErrors = handleErrors
    return made as Socket
  }
}

export class HostComponent extends HoldfastComponent {
  constructor(advertisement: Advertisement, config: Config) {
    super({ ...advertisement }, config, true)
  }
  override get type() {
    return 'rep'
  }
  override get oppo() {
    return 'req'
  }

  /** Takes over a server that listens already, on the interface that was configured. */
  adopt(server: Server): void {
    this.sock.type = 'server'
    this.sock.server = server
    server.on('connection', (socket) => this.sock.onconnect(socket))
  }
}

/** Starts a component's discovery. Rejects where its UDP port cannot be had; waits for its Redis. */
export async function startDiscovery(component: Component, config: Config, logOnce: LogOnce): Promise<Discovery> {
  multicastInterface = config.functions.host
  component.startDiscovery()
  const { discovery } = component
  const { socket } = discovery.broadcast
  const failed = (error: unknown) => logOnce('discovery failed', config.discovery.mode, error)
  // The whole command line: long, and told to everybody with each hello.
  delete discovery.me.processCommand
  // The library elects masters, which we have no use for: each candidate and each that steps back says hello to everybody.
  discovery.me.isMasterEligible = false
  authenticate(discovery.broadcast, clusterKeyOf(config.clusterSecret), logOnce)
  let cause: unknown
  discovery.on('error', (error: unknown) => (cause = error))
  if (isRedis(socket)) surviveRedis(socket, failed)
  await once(socket, 'listening')
  if (cause) {
    socket.close()
    throw new Error(`Can't join DISCOVERY_ADDRESS=${config.discovery.address}`, { cause })
  }
  // At each return of Redis the library would start one more timer.
  if (isRedis(socket)) socket.pub.removeAllListeners('ready')
  socket.on('error', failed)
  return discovery
}

/**
 * Hellos are signed as a whole. Others are not even parsed: the library lets a datagram `null` kill the process, and
 * one with the id `__proto__` write to the prototype of all objects. Systems that share a port by mistake stay apart.
 */
function authenticate(network: Network, key: Key, logOnce: LogOnce): void {
  network.encode = (data, callback) => callback(null, sealText(key, 'datagram:', JSON.stringify(data)))
  network.decode = (bytes, callback) => {
    const text = openText(key, 'datagram:', bytes.toString())
    if (text !== undefined) return callback(null, JSON.parse(text))
    logOnce('forged datagram', 'discovery')
    callback(new Error('forged datagram'), null)
  }
}

const isRedis = (socket: Network['socket']): socket is RedisSocket => 'pub' in socket

/** Redis may go away and come back, as ioredis does by itself; the library lets that end the process in three ways. */
function surviveRedis(socket: RedisSocket, failed: (error: unknown) => void): void {
  const { pub, sub } = socket
  for (const redis of [pub, sub]) redis.removeAllListeners('error').on('error', failed)
  socket.send = (hello) => {
    // A hello that could not be sent in time is of no use later.
    if (pub.status === 'ready') pub.publish('cote', hello.toString()).catch(failed)
  }
  socket.close = () => {
    for (const redis of [pub, sub]) redis.disconnect()
  }
}

let multicastInterface = ''
const { start } = Network.prototype

/**
 * In a PM2 cluster worker (the gateway) the primary would share one UDP socket among all workers, and each hello would
 * reach one of them; `exclusive` gives each its own. A multicast group is joined on the interface that is configured.
 */
Network.prototype.start = function (this: Network, callback) {
  const { socket } = this
  if (socket instanceof dgram.Socket) {
    const { bind, addMembership } = socket
    const wanted = isIP(multicastInterface) === 4 && multicastInterface !== '0.0.0.0' ? multicastInterface : undefined
    socket.bind = ((port: number, address: string, listening: () => void) =>
      bind.call(socket, { port, address, exclusive: true }, listening)) as typeof bind
    socket.addMembership = (group) => {
      addMembership.call(socket, group, wanted)
      if (wanted) socket.setMulticastInterface(wanted)
    }
  }
  start.call(this, callback)
}
