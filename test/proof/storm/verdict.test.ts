import test from 'ava'
import { judge, type Asked, type Books } from '../../../proof/storm/verdict.js'

const FROM = '2031-01-01T00:00:00.000Z'
const what = { userId: 'u', carId: 'c', from: FROM }
const booking = { id: 'b', ...what, state: 'COMMITTED', cost: 100 }
const asked: Asked = { ...what, outcome: 'acknowledged', id: 'b' }
const posted = { lobbyId: 'l', text: 'hello', outcome: 'acknowledged', id: 'p' } as const
const entries = [1, 2].map((seq) => ({ name: 'test:told', seq }))
const said = { name: 'lobby:message', seq: 1, text: 'hello' }

const books = (change: Partial<Books> = {}): Books => ({
  bookings: [booking],
  balances: new Map([['u', 900]]),
  feeds: new Map([
    ['user:u', entries],
    ['lobby:l', [said]],
  ]),
  ...change,
})

const claims = (change: object = {}) => ({
  asked: [asked],
  posted: [posted],
  followed: [
    { feed: 'user:u', by: 'u', got: entries },
    { feed: 'lobby:l', by: 'u', got: [said, { name: 'lobby:message', seq: 2 }] },
  ],
  money: 1000,
  ...change,
})

test('where all agrees nothing is said', (t) => {
  t.deepEqual(judge(claims(), books()), [])
})

const WRONG: [what: string, change: object, of: Partial<Books>, says: RegExp][] = [
  ['an acknowledged booking is lost', {}, { bookings: [], balances: new Map([['u', 1000]]) }, /b was .* is lost/],
  ['or cancelled', {}, { bookings: [{ ...booking, state: 'CANCELLED' }] }, /acknowledged and is CANCELLED/],
  ['or of another time', {}, { bookings: [{ ...booking, from: '2032' }] }, /b is of user u car c at 2032/],
  ['one stands there twice', {}, { bookings: [booking, { ...booking, id: 'b2' }] }, /b2 is COMMITTED, and nobody/],
  ['one answer is given to two requests', { asked: [asked, asked] }, {}, /for two requests/],
  [
    'what was refused was done',
    { asked: [{ ...what, outcome: 'refused', code: 'car_unavailable' }] },
    {},
    /b is COMMITTED, and nobody was told so/,
  ],
  ['money is gone', {}, { balances: new Map([['u', 899]]) }, /^user u has 899, not 900$/],
  ['a post was told twice', {}, { feeds: new Map([['lobby:l', [said, said]]]) }, /"hello", acknowledged, was told 2/],
  [
    'a feed has a gap',
    { followed: [{ feed: 'user:u', by: 'u', got: [entries[1]] }] },
    {},
    /^u followed user:u: entry 1 of 2 is \{"name":"test:told","seq":2\}$/,
  ],
  [
    'or an end too early',
    { followed: [{ feed: 'user:u', by: 'u', got: [entries[0]] }] },
    {},
    /entry 2 of 2 is missing/,
  ],
]

for (const [title, change, of, says] of WRONG) {
  test(`it says where ${title}`, (t) => {
    t.true(judge(claims(change), books(of)).some((each) => says.test(each)))
  })
}

test('what got no answer may have been done, once', (t) => {
  const failed: Asked = { ...what, outcome: 'failed', code: 'deadline_exceeded' }
  t.deepEqual(judge(claims({ asked: [failed] }), books()), [])
  const twice = { bookings: [booking, { ...booking, id: 'b2' }], balances: new Map([['u', 800]]) }
  t.is(judge(claims({ asked: [failed] }), books(twice)).length, 1)
})
