import test from 'ava'
import { BOOKING_CASES } from '../../../proof/explore/bookings/cases.js'
import { BOOKINGS } from '../../../proof/explore/bookings/theatre.js'
import { connectMany } from '../../../proof/explore/mongod.js'
import { exploreOnMongod } from '../../../proof/explore/onMongod.js'
import { rulesOfMigrations } from '../../../proof/explore/rules.js'
import { sharedMongod } from '../../support/mongod.js'

/**
 * Two preemptions, or one fault in the executor that goes first. `npm run explore -- --mongod` runs everything with two
 * preemptions and one fault.
 */
const FAULTS_TOO = ['owner-recovery-poor', 'hot-car']
const AT_ONCE = 8

test('the schedules of every case, on a mongod', async (t) => {
  const mongod = await sharedMongod()
  const rules = await rulesOfMigrations()
  const databases = await connectMany(AT_ONCE, (database) => mongod.uri(database), rules, BOOKINGS)
  t.teardown(() => Promise.all(databases.map((each) => each.close())))
  for (const theCase of BOOKING_CASES) {
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

test('a schedule in which an executor looks again in vain, twice, runs as it did in memory', async (t) => {
  const rules = await rulesOfMigrations()
  const mongod = await sharedMongod()
  const databases = await connectMany(1, (database) => mongod.uri(`${database}-again`), rules, BOOKINGS)
  t.teardown(() => Promise.all(databases.map((each) => each.close())))
  const theCase = BOOKING_CASES.find(({ name }) => name === 'left-step-cancel') as (typeof BOOKING_CASES)[number]
  const bounds = { maxPreemptions: 2, maxFaults: 1, only: LOOKS_AGAIN }
  const { schedules, violations } = await exploreOnMongod(theCase, databases, { rules, ...bounds })
  t.deepEqual([schedules, violations], [1, []])
})

/** Of 3,954, by `npm run explore -- --mongod --case left-step-cancel`. */
const LOOKS_AGAIN = 595
const TWO_PREEMPTIONS = { maxPreemptions: 2, maxFaults: 0 }
const ONE_FAULT = { maxPreemptions: 0, maxFaults: 1 }
