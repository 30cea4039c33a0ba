import test from 'ava'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { mongodSettings } from '../../config/index.js'
import { stripeClient } from '../../functions/payments/stripe.remote.js'
import { until } from '../../proof/support/until.js'
import { freeTcpPorts } from '../../proof/support/installation.js'

/** Where `go install` puts it. */
const places = [...mongodSettings().path, join(homedir(), 'go/bin')]
const binary = places.map((each) => join(each, 'stripe-mock')).find(existsSync)

/**
 * stripe-mock checks requests against Stripe's own description of its API, and answers with examples; it keeps nothing. So
 * this says that the library and every call that charges make are what Stripe expects.
 */
const title = 'the calls that charges make are what Stripe expects (stripe-mock)'
if (binary === undefined) {
  test.skip(`${title}: skipped, there is no stripe-mock; .ci/run installs it where there is Go`, (t) => t.pass())
} else {
  test(title, async (t) => {
    const [port] = (await freeTcpPorts(1)) as [number]
    const mock = spawn(binary, ['-http-addr', `127.0.0.1:${port}`], { stdio: 'ignore' })
    t.teardown(() => mock.kill('SIGKILL'))
    const url = `http://127.0.0.1:${port}`
    await until(() => fetch(url).then(() => true), { timeoutMs: 60_000, what: 'stripe-mock to answer' })
    const stripe = stripeClient({
      config: { stripe: { secretKey: 'sk_test_123', url }, deadlinesMs: { money: 60_000 } } as never,
    })
    if (!stripe) return t.fail('there is a key')

    const intent = await stripe.paymentIntents.create(
      {
        amount: 1500,
        currency: 'eur',
        metadata: { chargeId: 'c'.repeat(24), orderId: 'd'.repeat(24) },
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      },
      { idempotencyKey: 'charge:1:create' },
    )
    t.regex(intent.id, /^pi_/)
    t.is(intent.object, 'payment_intent')
    t.is((await stripe.paymentIntents.retrieve(intent.id)).object, 'payment_intent')
    const confirmed = await stripe.paymentIntents.confirm(
      intent.id,
      { payment_method: 'pm_card_visa' },
      { idempotencyKey: 'charge:1:confirm' },
    )
    t.is(confirmed.object, 'payment_intent')
    const cancelled = await stripe.paymentIntents.cancel(intent.id, {}, { idempotencyKey: 'charge:1:cancel' })
    t.is(cancelled.object, 'payment_intent')
    const refund = await stripe.refunds.create(
      { payment_intent: intent.id, metadata: { chargeId: 'c'.repeat(24) } },
      { idempotencyKey: 'charge:1:refund' },
    )
    t.is(refund.object, 'refund')
  })
}
