import test from 'ava'
import { CASES } from '../../proof/cases.js'
import { connectMany } from '../../proof/mongod.js'
import { exploreOnMongod } from '../../proof/onMongod.js'
import { rulesOfMigrations } from '../../proof/rules.js'
import { sharedMongod } from '../support/mongod.js'

/**
 * Two preemptions, or one fault in the executor that goes first. `npm run explore -- --mongod` runs everything with two
 * preemptions and one fault.
 */
const FAULTS_TOO = ['owner-recovery-poor', 'hot-car']
const AT_ONCE = 8

test('the schedules of every case, on a mongod', async (t) => {
  const mongod = await sharedMongod()
  const rules = await rulesOfMigrations()
  const databases = await connectMany(AT_ONCE, (database) => mongod.uri(database), rules)
  t.teardown(() => Promise.all(databases.map((each) => each.close())))
  for (const theCase of CASES) {
    const bounds = theCase.prelude ? [ONE_FAULT] : [TWO_PREEMPTIONS]
    if (FAULTS_TOO.includes(theCase.name)) bounds.push(ONE_FAULT)
    for (const each of bounds) {
      const { schedules, violations, tookMs } = await exploreOnMongod(theCase, databases, { rules, ...each })
      t.deepEqual(violations, [], theCase.name)
      t.true(schedules > 0)
      t.log(`${theCase.name}: ${schedules} schedules, ${tookMs} ms`)
    }
  }
})

const TWO_PREEMPTIONS = { maxPreemptions: 2, maxFaults: 0 }
const ONE_FAULT = { maxPreemptions: 0, maxFaults: 1 }
