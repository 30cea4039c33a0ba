import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'

/** An intent as the stand-in keeps it. */
export interface Intent {
  id: string
  amount: number
  currency: string
  status: 'requires_payment_method' | 'succeeded' | 'canceled'
  metadata: Record<string, string>
  /** The last one was declined. */
  declined: boolean
  refunded: boolean
}

/** What happens to a request: `lose` takes effect, and its reply never arrives; `refuse` has no effect. */
export type Fate = 'answer' | 'lose' | 'refuse'

export interface StripeStandIn {
  /** For STRIPE_URL. */
  url: string
  intents: Map<string, Intent>
  /** Requests that had an effect, in order: `POST /v1/payment_intents`, without those that were answered by their key. */
  effects: string[]
  /** Decides the fate of each request before it is dealt with; by default it is answered. May wait. */
  onRequest(decide: (request: string, intent: Intent | undefined) => Fate | Promise<Fate>): void
  /** Something that must have happened before the reply to a request leaves. */
  beforeReply(act: (request: string, intent: Intent | undefined) => Promise<void>): void
  /** What the buyer does in the browser, with the client secret. */
  payInBrowser(intentId: string): void
  /** Posts a webhook about an intent, as Stripe signs it. Answers the status. */
  postWebhook(to: string, type: string, intentId: string, secret: string): Promise<number>
  close(): Promise<void>
}

/** Payment methods by what becomes of them. Every other one pays. */
export const DECLINED = 'pm_card_chargeDeclined'

/**
 * Speaks as much of Stripe's API as charges use, and keeps what it was told: intents that succeed once, refunds that are
 * made once, and idempotency keys, by which it answers a repeated request as it answered the first.
 */
export async function startStripeStandIn(): Promise<StripeStandIn> {
  const intents = new Map<string, Intent>()
  const answers = new Map<string, Promise<Reply>>()
  const effects: string[] = []
  let decide: Parameters<StripeStandIn['onRequest']>[0] = () => 'answer'
  let act: Parameters<StripeStandIn['beforeReply']>[0] = () => Promise.resolve()

  const http = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const what = `${request.method} ${request.url}`
      const params = new URLSearchParams(await textOf(request))
      const intent = intents.get(/pi_\w+/.exec(request.url ?? '')?.[0] ?? params.get('payment_intent') ?? '')
      const fate = await decide(what, intent)
      if (fate === 'refuse') return void request.socket.destroy()
      const { status, body, about } = await answerOnce(what, params, request.headers['idempotency-key'])
      await act(what, about)
      if (fate === 'lose') return void request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    run().catch(() => request.socket.destroy())
  })

  function answerOnce(what: string, params: URLSearchParams, key: string | string[] | undefined): Promise<Reply> {
    if (typeof key !== 'string') return Promise.resolve(answer(what, params))
    const known = answers.get(key) ?? Promise.resolve(answer(what, params))
    answers.set(key, known)
    return known
  }

  function answer(what: string, params: URLSearchParams): Reply {
    const [method, path = ''] = what.split(' ')
    if (method === 'POST') effects.push(what)
    if (what === 'POST /v1/payment_intents') return created(params)
    if (what === 'POST /v1/refunds') return refunded(intents.get(params.get('payment_intent') ?? ''))
    const [, id = '', step] = /^\/v1\/payment_intents\/(\w+)(?:\/(\w+))?$/.exec(path) ?? []
    const intent = intents.get(id)
    if (!intent) return refusal(404, 'invalid_request_error', 'resource_missing')
    if (method === 'GET' && !step) return shown(intent)
    if (step === 'confirm') return confirmed(intent, params.get('payment_method') ?? '')
    if (step === 'cancel') return cancelled(intent)
    return refusal(404, 'invalid_request_error', 'resource_missing')
  }

  function created(params: URLSearchParams): Reply {
    const metadata = [...params].flatMap(([key, value]) => {
      const name = /^metadata\[(\w+)\]$/.exec(key)?.[1]
      return name ? [[name, value] as const] : []
    })
    const intent: Intent = {
      id: `pi_${randomBytes(8).toString('hex')}`,
      amount: Number(params.get('amount')),
      currency: params.get('currency') ?? '',
      status: 'requires_payment_method',
      metadata: Object.fromEntries(metadata),
      declined: false,
      refunded: false,
    }
    intents.set(intent.id, intent)
    return shown(intent)
  }

  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    intents,
    effects,
    onRequest: (next) => void (decide = next),
    beforeReply: (next) => void (act = next),
    payInBrowser(intentId) {
      const intent = intents.get(intentId)
      if (intent?.status !== 'requires_payment_method') throw new Error(`${intentId} is ${intent?.status}`)
      intent.status = 'succeeded'
    },
    async postWebhook(to, type, intentId, secret) {
      const object = shown(intents.get(intentId) as Intent).body
      const payload = JSON.stringify({
        id: `evt_${randomBytes(8).toString('hex')}`,
        object: 'event',
        type,
        data: { object },
      })
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret })
      const { status } = await fetch(to, { method: 'POST', body: payload, headers: { 'stripe-signature': signature } })
      return status
    },
    async close() {
      http.close()
      http.closeAllConnections()
      await once(http, 'close')
    },
  }
}

interface Reply {
  status: number
  body: object
  about?: Intent
}

const shown = (intent: Intent): Reply & { about: Intent } => {
  const { id, amount, currency, status, metadata, declined } = intent
  const body = {
    object: 'payment_intent',
    ...{ id, amount, currency, status, metadata },
    amount_received: status === 'succeeded' ? amount : 0,
    client_secret: `${id}_secret`,
    last_payment_error: declined ? { type: 'card_error', code: 'card_declined' } : null,
  }
  return { status: 200, body, about: intent }
}

function confirmed(intent: Intent, paymentMethod: string): Reply {
  if (intent.status !== 'requires_payment_method') return unexpectedState(intent)
  if (paymentMethod === DECLINED) {
    intent.declined = true
    return refusal(402, 'card_error', 'card_declined')
  }
  intent.status = 'succeeded'
  return shown(intent)
}

function cancelled(intent: Intent): Reply {
  if (intent.status === 'succeeded') return unexpectedState(intent)
  intent.status = 'canceled'
  return shown(intent)
}

function refunded(intent: Intent | undefined): Reply {
  if (intent?.status !== 'succeeded') return refusal(404, 'invalid_request_error', 'resource_missing')
  if (intent.refunded) return refusal(400, 'invalid_request_error', 'charge_already_refunded')
  intent.refunded = true
  const body = { id: `re_${intent.id}`, object: 'refund', amount: intent.amount, status: 'succeeded' }
  return { status: 200, body, about: intent }
}

const unexpectedState = (intent: Intent): Reply => ({
  ...refusal(400, 'invalid_request_error', 'payment_intent_unexpected_state'),
  about: intent,
})

const refusal = (status: number, type: string, code: string): Reply => ({
  status,
  body: { error: { type, code, message: code } },
})

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString()
  return text
}
