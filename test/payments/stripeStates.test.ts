import test from 'ava'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CHARGE_STATES,
  CHARGE_TRANSITIONS,
  REFUND_STATES,
  REFUND_TRANSITIONS,
} from '../../functions/payments/charge.states.js'
import { DISPUTE_STATUS, INTENT_STATES, refundMeaning, REFUND_STATUS } from '../../functions/payments/stripe.states.js'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFile(join(ROOT, path), 'utf8')
const resource = (name: string) => read(`node_modules/stripe/esm/resources/${name}.d.ts`)

/** The literals of `type Status = 'a' | 'b' | OtherString;` in the library's types. */
const statusesOf = (types: string): string[] =>
  [...(/type Status = ([^;]+);/.exec(types)?.[1]?.matchAll(/'(\w+)'/g) ?? [])].map(([, name = '']) => name)

test('the tables have every state that the installed Stripe library knows, and no other', async (t) => {
  t.deepEqual(Object.keys(INTENT_STATES).sort(), statusesOf(await resource('PaymentIntents')).sort())
  t.deepEqual(Object.keys(DISPUTE_STATUS).sort(), statusesOf(await resource('Disputes')).sort())
  // A refund's is only text to the library; its documentation lists them.
  const sentence = /Status of the refund\. This can be ([^.]+)\./.exec(await resource('Refunds'))?.[1] ?? ''
  const documented = [...sentence.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  t.deepEqual(Object.keys(REFUND_STATUS).sort(), documented.sort())
  t.throws(() => refundMeaning({ id: 're_1', status: 'of_tomorrow' }), { message: /in no table/ })
})

/** The rows of the table in docs/payments.md that has this head, as lists of cells. */
function rowsOf(text: string, head: string): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.replace(/ +/g, ' ').startsWith(`| ${head} |`))
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

test('docs/payments.md shows the tables that are in force', async (t) => {
  const text = await read('docs/payments.md')
  t.deepEqual(
    rowsOf(text, 'payment intent').map(([name]) => name),
    Object.keys(INTENT_STATES),
  )
  t.deepEqual(rowsOf(text, 'refund'), Object.entries(REFUND_STATUS))
  t.deepEqual(
    rowsOf(text, 'dispute'),
    Object.entries(DISPUTE_STATUS).map(([name, { state, withdrawn }]) => [name, state, withdrawn ? 'yes' : 'no']),
  )
  const sorted = (cells: string[][], transitions: Record<string, readonly string[]>) => {
    const shown = Object.fromEntries(cells.map(([name = '', to = '']) => [name, to.split(', ').filter(Boolean).sort()]))
    t.deepEqual(shown, Object.fromEntries(Object.entries(transitions).map(([name, to]) => [name, [...to].sort()])))
  }
  sorted(rowsOf(text, 'state of a charge'), CHARGE_TRANSITIONS)
  sorted(rowsOf(text, '`state`'), REFUND_TRANSITIONS)
  t.is(Object.keys(CHARGE_TRANSITIONS).length, CHARGE_STATES.length)
  t.is(Object.keys(REFUND_TRANSITIONS).length, REFUND_STATES.length)
})
