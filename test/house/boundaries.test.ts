import test from 'ava'
import { z } from 'zod'
import { loadContracts } from '../../platform/runtime/tree.js'
import { circlesOf, importGraph, importsIn, type Import } from './graph.js'

/** Who may import whom. An arrow that has to be crossed stands in EXCEPTIONS with its reason, and nothing else does. */

const PRODUCT = [
  'cli',
  'client',
  'config',
  'functions',
  'gateway',
  'jobs',
  'migrations',
  'platform',
  'projections',
  'protocol',
  'webhooks',
]

const room = (path: string): string => path.split('/')[0] as string
const domain = (path: string): string | undefined => /^functions\/([^/]+)\//.exec(path)?.[1]
/** Of a domain, or of a kind of thing that it has. */
const isContract = (path: string): boolean => /^functions\/[^/]+\/(kinds\/[^/]+\/)?contract\.ts$/.test(path)
const isInsideDomain = (path: string): boolean => domain(path) !== undefined && !isContract(path)
const isProduct = (path: string): boolean => PRODUCT.includes(room(path))

interface Rule {
  says: string
  broken(arrow: Import): boolean
  /** An arrow that breaks it: the test of this test. */
  example: [from: string, to: string]
}

const RULES: Rule[] = [
  {
    says: 'functions of one domain import no other domain’s files but its contract',
    broken: ({ from, to }) => domain(from) !== undefined && domain(from) !== domain(to) && isInsideDomain(to),
    example: ['functions/bookings/createBooking.ts', 'functions/users/user.model.ts'],
  },
  {
    says: 'what is no function imports contracts alone',
    broken: ({ from, to }) => isProduct(from) && room(from) !== 'functions' && isInsideDomain(to),
    example: ['gateway/dispatch.ts', 'functions/users/user.model.ts'],
  },
  {
    says: 'a contract has no model, no function and no runtime behind it',
    broken: ({ from, to }) =>
      isContract(from) &&
      !/\/contract\.ts$|\.(states|rules)\.ts$|^platform\/contract\/|^protocol\/(wire|states)\.ts$/.test(to),
    example: ['functions/users/contract.ts', 'functions/users/user.model.ts'],
  },
  {
    says: 'product code imports neither proof/ nor test/',
    broken: ({ from, to }) => isProduct(from) && ['proof', 'test'].includes(room(to)),
    example: ['jobs/main.ts', 'proof/support/until.ts'],
  },
  {
    says: 'proof/ imports nothing of test/',
    broken: ({ from, to }) => room(from) === 'proof' && room(to) === 'test',
    example: ['proof/chaos/run.ts', 'test/support/cote.ts'],
  },
  {
    says: 'the platform stands on config alone',
    broken: ({ from, to }) => room(from) === 'platform' && !['platform', 'config'].includes(room(to)),
    example: ['platform/runtime/system.ts', 'protocol/states.ts'],
  },
  {
    says: 'the protocol stands on the platform alone',
    broken: ({ from, to }) => room(from) === 'protocol' && !['protocol', 'platform'].includes(room(to)),
    example: ['protocol/engine.ts', 'functions/users/contract.ts'],
  },
  {
    says: 'functions stand on platform and protocol, not on what runs or calls them',
    broken: ({ from, to }) =>
      room(from) === 'functions' && !['functions', 'platform', 'protocol', 'config'].includes(room(to)),
    example: ['functions/users/signIn.ts', 'gateway/roles.ts'],
  },
  {
    says: 'the gateway knows no database of functions: neither the protocol nor logs nor events',
    broken: ({ from, to }) => room(from) === 'gateway' && /^(protocol|platform\/(events|logs))\//.test(to),
    example: ['gateway/dispatch.ts', 'platform/events/events.ts'],
  },
  {
    says: 'the client knows contracts and errors alone',
    broken: ({ from, to }) =>
      room(from) === 'client' && room(to) !== 'client' && !isContract(to) && !to.startsWith('platform/contract/'),
    example: ['client/index.ts', 'config/index.ts'],
  },
  {
    says: 'config stands on nothing',
    broken: ({ from, to }) => room(from) === 'config' && room(to) !== 'config',
    example: ['config/index.ts', 'platform/lib/log.ts'],
  },
]

const HOSTS_PROJECTIONS = 'projections/ is the process that runs what domains build from their logs: their host'

/** Arrows that are crossed, each with its reason. */
const EXCEPTIONS: Record<string, string> = {
  'functions/bookings/booking.engine.ts -> functions/users/user.remote.ts':
    "the caller's end of moveFunds: it knows the users' contract alone, and both engines need the same one",
  'functions/payments/payment.engine.ts -> functions/users/user.remote.ts':
    "the caller's end of moveFunds: it knows the users' contract alone, and both engines need the same one",
  'cli/lib/operator.ts -> functions/users/user.model.ts':
    'npm run token works before anything answers, for users without a password: it reads what a token must carry',
  'projections/followers.ts -> functions/calendars/bookingLog.model.ts': HOSTS_PROJECTIONS,
  'projections/followers.ts -> functions/calendars/calendar.news.ts': HOSTS_PROJECTIONS,
  'projections/followers.ts -> functions/calendars/calendar.projection.ts': HOSTS_PROJECTIONS,
  'projections/followers.ts -> functions/messages/message.news.ts': HOSTS_PROJECTIONS,
  'projections/followers.ts -> functions/messages/messageBox.projection.ts': HOSTS_PROJECTIONS,
  'projections/followers.ts -> functions/messages/messageLog.model.ts': HOSTS_PROJECTIONS,
}

/** Circles of types alone, which nothing meets at run time. */
const TYPE_CIRCLES: Record<string, string> = {
  'platform/runtime/function.ts platform/runtime/system.ts':
    'a handler’s context is a pick of the system, and the system hosts handlers',
  'functions/payments/charge.kinds.ts functions/payments/charge.remote.ts':
    'a way to pay says what it took, and the list of ways names its functions',
}

const imports = importGraph()
const named = ({ from, to }: Import): string => `${from} -> ${to}`

for (const { says, broken, example } of RULES) {
  test(says, (t) => {
    t.deepEqual(
      imports
        .filter(broken)
        .map(named)
        .filter((arrow) => !(arrow in EXCEPTIONS)),
      [],
    )
    const [from, to] = example
    t.true(broken({ from, to, typeOnly: true }), 'the rule sees an arrow that crosses it')
  })
}

test('contracts say which of their keys hold a password: the gateway limits those requests', async (t) => {
  for (const { name, input, passwords = [] } of (await loadContracts()).values()) {
    const keys = input instanceof z.ZodObject ? Object.keys(input.shape) : []
    t.deepEqual(
      keys.filter((key) => /password/i.test(key)),
      [...passwords],
      name,
    )
  }
})

test('every exception is still one', (t) => {
  const crossed = new Set(imports.filter((arrow) => RULES.some(({ broken }) => broken(arrow))).map(named))
  t.deepEqual(
    Object.keys(EXCEPTIONS).filter((arrow) => !crossed.has(arrow)),
    [],
  )
})

test('the caller’s end of a domain knows its contract alone', (t) => {
  const own = imports.filter(({ from }) => from === 'functions/users/user.remote.ts').map(({ to }) => to)
  t.deepEqual(own.filter(isInsideDomain), [])
})

test('no file imports itself in a circle', (t) => {
  t.deepEqual(circlesOf(imports.filter(({ typeOnly }) => !typeOnly)), [])
  t.deepEqual(
    circlesOf(imports).filter((circle) => !(circle.join(' ') in TYPE_CIRCLES)),
    [],
  )
})

test('imports are read in every form, and circles of them are seen', (t) => {
  const text = `import { a,\n  type B } from './b.js'\nimport type { C } from '../c.js'\nexport { d } from './d.js'\nimport './e.js'\nawait import('./f.js')\n`
  t.deepEqual(importsIn('x/a.ts', text), [
    { from: 'x/a.ts', to: 'x/b.ts', typeOnly: false },
    { from: 'x/a.ts', to: 'c.ts', typeOnly: true },
    { from: 'x/a.ts', to: 'x/d.ts', typeOnly: false },
    { from: 'x/a.ts', to: 'x/e.ts', typeOnly: false },
    { from: 'x/a.ts', to: 'x/f.ts', typeOnly: false },
  ])
  const arrow = (from: string, to: string): Import => ({ from, to, typeOnly: false })
  t.deepEqual(circlesOf([arrow('a', 'b'), arrow('b', 'c'), arrow('c', 'b')]), [['b', 'c']])
  t.deepEqual(circlesOf([arrow('a', 'b'), arrow('a', 'c'), arrow('b', 'd'), arrow('c', 'd')]), [])
})
