import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { createStripeBooks, succeed, type Intent, type Reply, type StripeBooks } from './stripeBooks.js'

export { DECLINED } from './stripeBooks.js'
export type { Intent } from './stripeBooks.js'

/** What happens to a request: `lose` takes effect, and its reply never arrives; `refuse` has no effect. */
export type Fate = 'answer' | 'lose' | 'refuse'

export interface StripeStandIn {
  /** For STRIPE_URL. */
  url: string
  books: StripeBooks
  intents: Map<string, Intent>
  /** Requests that had an effect, in order: `POST /v1/payment_intents`, without those that were answered by their key. */
  effects: string[]
  /** Decides the fate of each request before it is dealt with; by default it is answered. May wait. */
  onRequest(decide: (request: string, intent: Intent | undefined) => Fate | Promise<Fate>): void
  /** Something that must have happened before the reply to a request leaves. */
  beforeReply(act: (request: string, intent: Intent | undefined) => Promise<void>): void
  /** What the buyer does in the browser, with the client secret. */
  payInBrowser(intentId: string): void
  /** Posts a webhook about an intent, a refund or a dispute, as Stripe signs it. Answers the status. */
  postWebhook(to: string, type: string, id: string, secret: string): Promise<number>
  close(): Promise<void>
}

/**
 * Speaks as much of Stripe's API as charges use, and keeps what it was told (stripeBooks.ts): intents that succeed once,
 * refunds and disputes, and idempotency keys, by which it answers a repeated request as it answered the first.
 */
export async function startStripeStandIn(): Promise<StripeStandIn> {
  const books = createStripeBooks()
  const { intents } = books
  const answers = new Map<string, Reply>()
  const effects: string[] = []
  let decide: Parameters<StripeStandIn['onRequest']>[0] = () => 'answer'
  let act: Parameters<StripeStandIn['beforeReply']>[0] = () => Promise.resolve()

  const http = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const what = `${request.method} ${request.url}`
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stripe')
      const text = await textOf(request)
      const params = request.method === 'GET' ? searchParams : new URLSearchParams(text)
      const intent = intents.get(/pi_\w+/.exec(pathname)?.[0] ?? params.get('payment_intent') ?? '')
      const fate = await decide(what, intent)
      if (fate === 'refuse') return void request.socket.destroy()
      const { status, body, about } = answerOnce(
        `${request.method} ${pathname}`,
        params,
        request.headers['idempotency-key'],
      )
      await act(what, about)
      if (fate === 'lose') return void request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    run().catch(() => request.socket.destroy())
  })

  function answerOnce(what: string, params: URLSearchParams, key: string | string[] | undefined): Reply {
    const known = typeof key === 'string' ? answers.get(key) : undefined
    if (known) return known
    const [method = '', path = ''] = what.split(' ')
    if (method === 'POST') effects.push(what)
    const reply = books.answer(method, path, params)
    // A repeated request is answered as the first was, whatever has happened since.
    if (typeof key === 'string') answers.set(key, reply)
    return reply
  }

  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    books,
    intents,
    effects,
    onRequest: (next) => void (decide = next),
    beforeReply: (next) => void (act = next),
    payInBrowser(intentId) {
      const intent = intents.get(intentId)
      if (intent?.status !== 'requires_payment_method') throw new Error(`${intentId} is ${intent?.status}`)
      succeed(intent)
    },
    async postWebhook(to, type, id, secret) {
      const payload = JSON.stringify({
        id: `evt_${randomBytes(8).toString('hex')}`,
        object: 'event',
        type,
        data: { object: books.show(id) },
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

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString()
  return text
}
