import test from 'ava'
import fc from 'fast-check'
import { CASES } from '../../../proof/explore/cases.js'
import { textOf, type Document } from '../../../proof/explore/documents.js'
import { Exploring, PROJECTIONS } from '../../../proof/explore/explore.js'
import { Memory, snapshotOf } from '../../../proof/explore/memoryStore.js'
import { OnMongod } from '../../../proof/explore/mongod.js'
import { rulesOfMigrations } from '../../../proof/explore/rules.js'
import type { Operation } from '../../../proof/explore/snapshot.js'
import type { Case } from '../../../proof/explore/theatre.js'
import { sharedMongod } from '../../support/mongod.js'

/**
 * The store in memory answers like mongod. The operations are those that the product's code really asked for while a
 * case was explored; they are sent in random order, to both, from the same documents.
 */

const ROUNDS = 40
const MAX_OPERATIONS = 60
const STATES = 3000

/** With all fields of a set in order, whatever the order in which a server keeps new ones. */
const comparable = (value: unknown): unknown => JSON.parse(textOf(value))

async function operationsOf(theCase: Case): Promise<Operation[]> {
  const exploring = new Exploring(theCase, {
    rules: await rulesOfMigrations(),
    faults: ['late'],
    maxFaults: 1,
    maxStates: STATES,
  })
  await exploring.explore()
  return exploring.operations
}

const COMPARED = [
  ...['owner-cancel', 'owner-recovery-busy', 'two-reversals', 'two-bookings', 'hot-car', 'hot-room'],
  ...['two-refunds-poor', 'cancel-poor'],
]
for (const name of COMPARED) {
  test(`answers like mongod: ${name}`, async (t) => {
    const theCase = CASES.find((each) => each.name === name) as Case
    const operations = await operationsOf(theCase)
    const rules = await rulesOfMigrations()
    const mongod = await OnMongod.connect((await sharedMongod()).uri(), rules, theCase.theatre)
    t.teardown(() => mongod.close())
    t.true(operations.length > 10)
    const kinds = new Set(operations.map((each) => (each.kind === 'update' ? each.step : each.kind)))
    t.log(`${operations.length} operations: ${[...kinds].join(' ')}`)

    let sent = 0
    let effective = 0
    const { seed } = fc.readConfigureGlobal() ?? {}
    const parameters = { numRuns: ROUNDS, seed: Number(process.env['SEED'] ?? seed ?? Date.now() % 2 ** 31) }
    t.log(`SEED=${parameters.seed}`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(operations.length - 1), { minLength: 1, maxLength: MAX_OPERATIONS }),
        async (order) => {
          const memory = new Memory(snapshotOf(theCase.documents), rules, PROJECTIONS)
          await mongod.reset(theCase.documents)
          for (const index of order) {
            const operation = operations[index] as Operation
            const before = memory.snapshot
            const expected = memory.perform(operation)
            const answer = await mongod.perform(operation)
            if (textOf(answer) !== textOf(expected))
              t.deepEqual(comparable(answer), comparable(expected), textOf(operation))
            sent++
            if (memory.snapshot !== before) effective++
          }
          const documents = (snapshot: ReadonlyMap<string, Document>) => comparable([...snapshot].sort())
          t.deepEqual(documents(await mongod.snapshot()), documents(memory.snapshot))
        },
      ),
      parameters,
    )
    t.log(`${sent} sent, ${effective} changed something`)
    t.true(effective > sent / 20)
  })
}
