import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { payments } from '../functions/payments/contract.js'
import { Refusal } from '../platform/contract/errors.js'
import { createGuardedServer } from '../platform/http/connections.js'
import { createRepeats } from '../platform/http/repeats.js'
import type { System } from '../platform/runtime/system.js'
import { id } from '../platform/contract/types.js'
import { readStripeEvent, type StripeNews } from './stripe.js'

const MAX_BODY_BYTES = 1_000_000

export interface Webhooks {
  /** Answers the port, which the system chose where the configured one is 0. */
  listen(): Promise<number>
  /** Answers what has come in, and takes no more. */
  close(): Promise<void>
}

/**
 * Where other companies' servers say what happened. A webhook is answered with 200 when its function has dealt with it;
 * on everything else its sender comes again.
 */
export function createWebhooks(system: Pick<System, 'config' | 'log' | 'call' | 'newId' | 'now'>): Webhooks {
  const { config, log } = system
  const repeats = createRepeats(log)
  const { server: http } = createGuardedServer(receive, { ratePerSecond: config.rateLimitPerSecond, repeats })

  function receive(request: IncomingMessage, response: ServerResponse): void {
    const requestId = system.newId()
    answer(request, requestId)
      .catch((error: unknown) => {
        log.error({ err: error, requestId }, 'webhook failed')
        return { status: 500, message: 'Something went wrong on our side.' }
      })
      .then(({ status, message }) => {
        // A body that was not read to its end would be taken for the next request.
        if (!request.complete) response.setHeader('connection', 'close')
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message, requestId }))
      }, log.error)
  }

  async function answer(request: IncomingMessage, requestId: string): Promise<{ status: number; message: string }> {
    if (request.url !== '/stripe') return { status: 404, message: 'Nothing here but /stripe.' }
    if (request.method !== 'POST') return { status: 405, message: 'Webhooks are posted.' }
    if (config.stripe.webhookSecret === '') return { status: 503, message: 'STRIPE_WEBHOOK_SECRET is not set.' }
    const body = await bodyOf(request)
    if (body === null) return { status: 413, message: 'The body is too long.' }
    const news = readStripeEvent(body, request.headers['stripe-signature'], config.stripe, system.now())
    if (news === null) {
      repeats.note('webhook with a bad signature', request.socket.remoteAddress, { requestId })
      return { status: 400, message: 'The signature is wrong or too old.' }
    }
    return tell(news, requestId)
  }

  async function tell(
    { eventId, type, intent }: StripeNews,
    requestId: string,
  ): Promise<{ status: number; message: string }> {
    const about = { requestId, eventId, type }
    if (!intent) {
      log.debug(about, 'webhook of no concern')
      return { status: 200, message: 'Of no concern here.' }
    }
    // Others may use the same account: what is no id of ours is none.
    const { data: chargeId } = id.safeParse(intent.chargeId)
    try {
      const input = { intentId: intent.id, about: intent.about, ...(chargeId !== undefined && { chargeId }) }
      const { known } = await system.call(payments.receiveStripeEvent, input, { caller: null, requestId })
      log.info({ ...about, intentId: intent.id, known }, 'webhook taken')
      return { status: 200, message: known ? 'Taken.' : 'Of no charge here.' }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      log.warn({ ...about, err: error }, 'webhook not taken')
      return { status: 503, message: 'Come again.' }
    }
  }

  return {
    async listen() {
      http.listen(config.webhooks.port, config.webhooks.host)
      await once(http, 'listening')
      return (http.address() as AddressInfo).port
    },
    async close() {
      http.close()
      http.closeIdleConnections()
      await once(http, 'close')
      repeats.stop()
    },
  }
}

/** As it was sent: the signature is of the bytes. Null: too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
