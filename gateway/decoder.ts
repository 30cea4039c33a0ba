import { Decoder, Encoder, PacketType } from 'socket.io-parser'

/** A request over this is answered `invalid_input`, unread. */
export const MAX_REQUEST_CHARS = 100_000

/**
 * A websocket message over this closes the connection with code 1009 (message too big) as soon as its header arrives;
 * clients see it in the details of their `disconnect` event. The room between the two limits is there so that the
 * ordinary mistake gets an answer instead.
 */
export const MAX_MESSAGE_BYTES = 1_000_000

/** Stands in a request for an input that was too large to be read. */
export const TOO_LARGE = Symbol('too large')

const EVENT_WITH_ACK = /^2(\d{1,15})\["([^"\\]{1,100})"/

/**
 * socket.io's own decoder, but a packet over the limit is not parsed: only its operation and the id of its ack are read
 * from the front, so that it can be refused. Binary packets are refused by the contracts; one attachment is enough for that.
 */
class LimitedDecoder extends Decoder {
  constructor() {
    super({ maxAttachments: 1 })
  }

  override add(message: unknown): void {
    if (typeof message !== 'string' || message.length <= MAX_REQUEST_CHARS) return super.add(message)
    const [, ackId, operation] = EVENT_WITH_ACK.exec(message.slice(0, 200)) ?? []
    if (ackId === undefined) throw new Error('message too large')
    this.emitReserved('decoded', {
      type: PacketType.EVENT,
      nsp: '/',
      id: Number(ackId),
      data: [operation, TOO_LARGE],
    })
  }
}

/** socket.io's `parser` option. */
export const limitedParser = { Encoder, Decoder: LimitedDecoder }
