import { randomBytes } from 'node:crypto'

/** What the stand-in keeps, and how it answers requests, without the HTTP. Amounts in minor units. */

/** An intent as the stand-in keeps it. */
export interface Intent {
  id: string
  amount: number
  received: number
  currency: string
  status: 'requires_payment_method' | 'requires_action' | 'processing' | 'requires_capture' | 'succeeded' | 'canceled'
  metadata: Record<string, string>
  /** The last one was declined. */
  declined: boolean
  /** In full. */
  refunded: boolean
}

export interface StripeRefund {
  id: string
  intentId: string
  amount: number
  status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled'
  failureReason?: string
  metadata: Record<string, string>
}

export interface StripeDispute {
  id: string
  intentId: string
  amount: number
  status: string
}

export interface Reply {
  status: number
  body: object
  about?: Intent | undefined
}

/** Payment methods by what becomes of them. Every other one pays. */
export const DECLINED = 'pm_card_chargeDeclined'
export const GONE = 'pm_gone'
export const USED_UP = 'pm_used_up'
export const PAYS_LESS = 'pm_pays_less'
export const PROCESSING = 'pm_processing'
export const NEEDS_ACTION = 'pm_needs_action'

const LEAST = 50
const GREATEST = 99_999_999
/** Stripe has taken the money from us. */
const WITHDRAWN = ['needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review', 'lost']
const DECIDED = ['won', 'lost', 'warning_closed', 'prevented']

const newId = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`

export interface StripeBooks {
  intents: Map<string, Intent>
  refunds: Map<string, StripeRefund>
  disputes: Map<string, StripeDispute>
  /** What refunds that are asked for become. */
  refundsBecome: StripeRefund['status']
  answer(method: string, path: string, params: URLSearchParams): Reply
  /** As the API shows an intent, a refund or a dispute. */
  show(id: string): object
  /** What Stripe has for us of an intent: received, less what went back and what a bank took. */
  keptOf(intentId: string): number
  /** Somebody at the dashboard gives money back. */
  refund(intentId: string, amount: number, metadata?: Record<string, string>): Reply
  dispute(intentId: string, options?: { amount?: number; status?: string }): StripeDispute
}

export function createStripeBooks(): StripeBooks {
  const intents = new Map<string, Intent>()
  const refunds = new Map<string, StripeRefund>()
  const disputes = new Map<string, StripeDispute>()

  const ofIntent = <T extends { intentId: string }>(all: Map<string, T>, intentId: string): T[] =>
    [...all.values()].filter((each) => each.intentId === intentId)

  const isAway = ({ status }: StripeRefund): boolean => status !== 'failed' && status !== 'canceled'

  const unrefundedOf = (intent: Intent): number =>
    ofIntent(refunds, intent.id)
      .filter(isAway)
      .reduce((left, { amount }) => left - amount, intent.received)

  const books: StripeBooks = {
    intents,
    refunds,
    disputes,
    refundsBecome: 'succeeded',
    answer,
    show: (id) => {
      const [intent, refund, dispute] = [intents.get(id), refunds.get(id), disputes.get(id)]
      if (intent) return showIntent(intent)
      if (refund) return showRefund(refund)
      if (dispute) return showDispute(dispute)
      throw new Error(`The stand-in has no ${id}`)
    },
    keptOf(intentId) {
      const intent = intents.get(intentId) as Intent
      const taken = ofIntent(disputes, intentId).filter(({ status }) => WITHDRAWN.includes(status))
      return taken.reduce((left, { amount }) => left - amount, unrefundedOf(intent))
    },
    refund: (intentId, amount, metadata = {}) => refund(intents.get(intentId), amount, metadata),
    dispute(intentId, { amount, status = 'needs_response' } = {}) {
      const made = {
        id: newId('dp'),
        intentId,
        status,
        amount: amount ?? unrefundedOf(intents.get(intentId) as Intent),
      }
      disputes.set(made.id, made)
      return made
    },
  }

  function answer(method: string, path: string, params: URLSearchParams): Reply {
    const [, resource = '', id, step] = /^\/v1\/(\w+)(?:\/(\w+))?(?:\/(\w+))?$/.exec(path) ?? []
    const what = `${method} ${resource}`
    if (id === undefined) {
      const asked = params.get('payment_intent') ?? ''
      if (what === 'POST payment_intents') return createIntent(params)
      if (what === 'POST refunds') return refund(intents.get(asked), Number(params.get('amount')), metadataOf(params))
      if (what === 'GET refunds') return list(path, ofIntent(refunds, asked).map(showRefund))
      if (what === 'GET disputes') return list(path, ofIntent(disputes, asked).map(showDispute))
    } else {
      const [intent, stored, dispute] = [intents.get(id), refunds.get(id), disputes.get(id)]
      if (what === 'GET refunds' && stored) return ok(showRefund(stored))
      if (what === 'GET disputes' && dispute) return ok(showDispute(dispute))
      if (what === 'GET payment_intents' && intent && !step) return ok(showIntent(intent), intent)
      if (intent && step === 'confirm') return confirm(intent, params.get('payment_method') ?? '')
      if (intent && step === 'cancel') return cancel(intent)
    }
    return refusal(404, 'invalid_request_error', 'resource_missing')
  }

  function createIntent(params: URLSearchParams): Reply {
    const amount = Number(params.get('amount'))
    if (amount < LEAST) return refusal(400, 'invalid_request_error', 'amount_too_small')
    if (amount > GREATEST) return refusal(400, 'invalid_request_error', 'amount_too_large')
    const intent: Intent = {
      id: newId('pi'),
      amount,
      received: 0,
      currency: params.get('currency') ?? '',
      status: 'requires_payment_method',
      metadata: metadataOf(params),
      declined: false,
      refunded: false,
    }
    intents.set(intent.id, intent)
    return ok(showIntent(intent), intent)
  }

  function refund(intent: Intent | undefined, amount: number, metadata: Record<string, string>): Reply {
    if (intent?.status !== 'succeeded') return refusal(404, 'invalid_request_error', 'resource_missing')
    if (ofIntent(disputes, intent.id).some(({ status }) => !DECIDED.includes(status) && !status.startsWith('warning')))
      return refusal(400, 'invalid_request_error', 'charge_disputed')
    const left = books.keptOf(intent.id)
    if (left === 0) return refusal(400, 'invalid_request_error', 'charge_already_refunded')
    if (amount > left)
      return refusal(
        400,
        'invalid_request_error',
        undefined,
        'Refund amount is greater than unrefunded amount on charge',
      )
    const made = { id: newId('re'), intentId: intent.id, amount, status: books.refundsBecome, metadata }
    refunds.set(made.id, made)
    intent.refunded = unrefundedOf(intent) === 0
    return ok(showRefund(made), intent)
  }

  return books
}

function metadataOf(params: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...params].flatMap(([key, value]) => {
      const name = /^metadata\[(\w+)\]$/.exec(key)?.[1]
      return name ? [[name, value] as const] : []
    }),
  )
}

function showIntent({ id, amount, received, currency, status, metadata, declined }: Intent): object {
  return {
    object: 'payment_intent',
    ...{ id, amount, currency, status, metadata },
    amount_received: received,
    client_secret: `${id}_secret`,
    last_payment_error: declined ? { type: 'card_error', code: 'card_declined' } : null,
  }
}

const showRefund = ({ id, intentId, amount, status, failureReason, metadata }: StripeRefund): object => ({
  object: 'refund',
  ...{ id, amount, status, metadata, payment_intent: intentId },
  ...(failureReason !== undefined && { failure_reason: failureReason }),
})

const showDispute = ({ id, intentId, amount, status }: StripeDispute): object => ({
  object: 'dispute',
  ...{ id, amount, status, payment_intent: intentId, metadata: {} },
})

function confirm(intent: Intent, paymentMethod: string): Reply {
  if (intent.status !== 'requires_payment_method') return unexpectedState(intent)
  if (paymentMethod === GONE) return refusal(404, 'invalid_request_error', 'resource_missing')
  if (paymentMethod === USED_UP)
    return refusal(400, 'invalid_request_error', undefined, 'The PaymentMethod was previously used without a customer.')
  if (paymentMethod === DECLINED) {
    intent.declined = true
    return refusal(402, 'card_error', 'card_declined')
  }
  if (paymentMethod === PROCESSING) intent.status = 'processing'
  else if (paymentMethod === NEEDS_ACTION) intent.status = 'requires_action'
  else succeed(intent, paymentMethod === PAYS_LESS ? Math.floor((intent.amount * 3) / 4) : intent.amount)
  return ok(showIntent(intent), intent)
}

export function succeed(intent: Intent, received = intent.amount): void {
  intent.status = 'succeeded'
  intent.received = received
}

function cancel(intent: Intent): Reply {
  if (intent.status === 'succeeded' || intent.status === 'processing') return unexpectedState(intent)
  intent.status = 'canceled'
  return ok(showIntent(intent), intent)
}

const ok = (body: object, about?: Intent): Reply => ({ status: 200, body, about })

const list = (url: string, data: object[]): Reply => ok({ object: 'list', url, has_more: false, data })

const unexpectedState = (intent: Intent): Reply => ({
  ...refusal(400, 'invalid_request_error', 'payment_intent_unexpected_state'),
  about: intent,
})

const refusal = (status: number, type: string, code: string | undefined, message = code): Reply => ({
  status,
  body: { error: { type, ...(code !== undefined && { code }), message } },
})
