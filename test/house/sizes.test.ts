import test from 'ava'
import ts from 'typescript'
import { filesOf, read } from './graph.js'

/** Files that fit on a screen or two, and functions that one reads at once. What is longer says why it reads better so. */

const FILE_LINES = 300
const FUNCTION_LINES = 70

const PENDING = 'one case or one actor after another, each a function of its own; to be split by subject'
const ONE_SUBJECT = 'tests of one subject, which share what they set up'

const CONTRACT = 'the contract of one domain: its operations one after the other, without logic'

const LONG_FILES: Record<string, string> = {
  'config/settings.ts': 'the table of all settings, one after the other, and how it is read',
  'functions/bookings/contract.ts': CONTRACT,
  'functions/calendars/contract.ts': CONTRACT,
  'functions/payments/contract.ts': CONTRACT,
  'functions/users/contract.ts': CONTRACT,
  'platform/contract/errors.ts': 'the closed list of errors, one after the other',
  'platform/runtime/system.ts': 'what a process is put together from, and how it answers one call',
  'platform/calls/caller.ts':
    'calls and the hosts that they go to change each other at every step: what waits, what was sent, who may take it',
  'protocol/engine.ts':
    'the protocol in one place: whoever checks it against docs/protocol.md reads it from top to end',
  'proof/chaos/rules.ts': PENDING,
  'proof/explore/explore.ts': PENDING,
  'proof/explore/world.ts': PENDING,
  'proof/race/trains/run.ts': PENDING,
  'test/bookings/bookings.test.ts': ONE_SUBJECT,
  'test/calendars/calendars.test.ts': ONE_SUBJECT,
  'test/gateway/refusals.test.ts': ONE_SUBJECT,
  'test/platform/calls/cote.test.ts': ONE_SUBJECT,
  'test/platform/migrations/migrations.test.ts': ONE_SUBJECT,
  'test/tickets/refunds.test.ts': ONE_SUBJECT,
  'test/tickets/store.test.ts': ONE_SUBJECT,
  'test/users/accounts.test.ts': ONE_SUBJECT,
  'test/users/transfers.test.ts': ONE_SUBJECT,
}

const ONE_STORY = 'one story, whose steps each stand on the one before'

const LONG_FUNCTIONS: Record<string, string> = {
  'gateway/server.ts createGateway': 'the way of a request through the gateway, put together in its order',
  'proof/chaos/workload.ts startWorkload': PENDING,
  'proof/race/tickets/auditor.ts auditRace':
    'a list of rules, each of a few lines, over what was read at its beginning',
  'test/lobbies/race.test.ts `members of two lobbies race for the seats while their connections break (SEED=${SEED})`':
    ONE_STORY,
  'test/proof/chaos/rules.test.ts books': 'a whole set of books, as an auditor reads them: data, no logic',
  "test/tickets/refunds.test.ts 'what Stripe answers to a refund, at once or later, becomes of it'": ONE_STORY,
}

/** Generated files are as long as what they list. */
const GENERATED = new Set(['client/src/operations.ts', 'client/src/testing/contracts.ts'])

interface Measured {
  name: string
  lines: number
}

/**
 * Every function of a file with a name, and its own lines: without those of functions that are named inside it, which are
 * measured by themselves. So a function that keeps the state of others (`createGateway`) counts as what it is, a module
 * with a state; each of the others is held to the limit.
 */
function functionsOf(file: string, text: string): Measured[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Measured[] = []

  /** Answers how many lines of the node belong to functions that have a name. */
  function visit(node: ts.Node, outer: string): number {
    const name = nameOf(node)
    const path = [outer, name].filter(Boolean).join('.')
    const measured = { name: path, lines: 0 }
    if (name !== undefined) found.push(measured)
    let named = 0
    node.forEachChild((child) => void (named += visit(child, path)))
    if (name === undefined) return named
    const whole = linesBetween(source, node)
    measured.lines = whole - named
    return whole
  }
  visit(source, '')
  return found
}

const linesBetween = (source: ts.SourceFile, node: ts.Node): number => {
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  return lineAt(node.getEnd()) - lineAt(node.getStart()) + 1
}

/** Of a function: what it is called or kept by, or what it is handed to with: `test('title', () => ...)`. */
function nameOf(node: ts.Node): string | undefined {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return undefined
  if (node.name) return node.name.getText()
  const { parent } = node
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText()
  const [said] = ts.isCallExpression(parent) ? parent.arguments : []
  return said && said !== node && parent.parent.parent === node.getSourceFile() ? said.getText() : undefined
}

const files = filesOf('.', /\.ts$/).filter((file) => !GENERATED.has(file))

test('no file is over 300 lines, but for those with a reason', (t) => {
  const long = files.filter((file) => read(file).split('\n').length - 1 > FILE_LINES)
  t.deepEqual(long.sort(), Object.keys(LONG_FILES).sort())
})

test('no function is over 70 lines, but for those with a reason', (t) => {
  const long = files.flatMap((file) =>
    functionsOf(file, read(file))
      .filter(({ lines }) => lines > FUNCTION_LINES)
      .map(({ name }) => `${file} ${name}`),
  )
  t.deepEqual(long.sort(), Object.keys(LONG_FUNCTIONS).sort())
})

test('functions are measured in every form, each without those named inside it', (t) => {
  const text = `function a() {
  const b = () => {
    return 1
  }
  return [2].map((each) => {
    return each
  })
}
export default define(users.signIn, async () => {
  return 2
})
test('title', () => {
  const c = { d: () => 3, e() {
    return 4
  } }
})
`
  t.deepEqual(functionsOf('x.ts', text), [
    { name: 'a', lines: 5 },
    { name: 'a.b', lines: 3 },
    { name: 'users.signIn', lines: 3 },
    { name: "'title'", lines: 1 },
    { name: "'title'.d", lines: 1 },
    { name: "'title'.e", lines: 3 },
  ])
})
