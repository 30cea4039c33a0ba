import test from 'ava'
import Stripe from 'stripe'
import { readStripeEvent } from '../../webhooks/stripe.js'

const SECRET = 'whsec_test'
const NOW = new Date('2031-01-01T00:00:00.000Z')
const EVENT = JSON.stringify({ id: 'evt_1', object: 'event', type: 'charge.updated', data: { object: {} } })

function read(payload: string, atS = NOW.getTime() / 1000, secret = SECRET) {
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: atS })
  return readStripeEvent(Buffer.from(payload), header, { webhookSecret: SECRET }, NOW)
}

test('a signature counts for five minutes, from the past and from the future', (t) => {
  const nowS = NOW.getTime() / 1000
  t.like(read(EVENT), { eventId: 'evt_1', type: 'charge.updated' })
  t.truthy(read(EVENT, nowS - 299))
  t.truthy(read(EVENT, nowS + 299))
  t.is(read(EVENT, nowS - 301), null)
  t.is(read(EVENT, nowS + 301), null, 'it could be sent again until it is old')
  t.is(read(EVENT, nowS, 'whsec_other'), null)
})

test('what is signed, but no event, is refused and no defect of ours', (t) => {
  for (const body of ['', 'no json', '[]', '1', 'null', '{}', '{"id":1,"type":"x"}', '{"id":"a","type":"x"}'])
    t.is(read(body), null, body)
  t.is(readStripeEvent(Buffer.from(EVENT), 'nonsense', { webhookSecret: SECRET }, NOW), null)
})
