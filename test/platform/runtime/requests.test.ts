import test from 'ava'
import { isSameRequest, requestOf } from '../../../platform/runtime/requests.js'

const caller = { userId: 'a'.repeat(24), role: 'user' } as const

test('the same caller with the same input is the same request, in whatever order it was written', (t) => {
  const one = requestOf({ caller }, { a: 1, b: { c: [1, { d: 2, e: 3 }] }, gone: undefined })
  t.true(isSameRequest(one, requestOf({ caller }, { b: { c: [1, { e: 3, d: 2 }] }, a: 1 })))
  for (const other of [{ a: 1 }, { a: 2, b: { c: [1, { d: 2, e: 3 }] } }, { a: 1, b: { c: [{ d: 2, e: 3 }, 1] } }]) {
    t.false(isSameRequest(one, requestOf({ caller }, other)))
  }
})

test('another caller, nobody and the system are others', (t) => {
  const marks = [
    requestOf({ caller }, {}),
    requestOf({ caller: { ...caller, userId: 'b'.repeat(24) } }, {}),
    requestOf({ caller: null }, {}),
    requestOf({ caller: null }, {}, 'anonymous'),
  ]
  for (const [i, one] of marks.entries()) {
    for (const [j, other] of marks.entries()) t.is(isSameRequest(one, other), i === j)
  }
})
