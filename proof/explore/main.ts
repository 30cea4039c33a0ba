import { startServer } from '../support/server.js'
import { BOOKINGS } from './bookings/theatre.js'
import { CASES } from './cases.js'
import { Exploring, type Exploration, type ExploreOptions } from './explore.js'
import { connectMany } from './mongod.js'
import { exploreOnMongod } from './onMongod.js'
import { rulesOfMigrations } from './rules.js'
import type { Bounds } from './schedules.js'
import type { Case } from './theatre.js'
import { FAULTS, type Fault } from './world.js'
import { command, CommandFailure } from '../../cli/lib/command.js'

const USAGE = `npm run explore                every interleaving of every case, in memory: the product's own steps, faults at any point

  --list              the cases
  --case <names>      only these, comma-separated
  --faults <kinds>    of crash, late, failover, shared (default: crash,late; the empty word: none)
                        crash     an executor ends; its writes under way land later or never
                        late      no answer, and the write lands at once, later or never
                        failover  the newest writes that are not majority are gone
                        shared    a batch in which others did not match is read back
  --max-faults <n>    in one schedule (default 1)
  --one-set           all collections on one replica set, instead of one for what decides and one for what it changes
  --max-states <n>    give up a case beyond so many (default 8000000)
  --replay <n>        of one case: tells what happened on the way to state n
  --schedule <s>      of one case: the same by the schedule that a violation was printed with
  --json              one line of JSON a case

  --mongod            of the cases of bookings: the schedules with at most so many preemptions and so many of the faults crash and late, through
                      the product's stores on a mongod that is started for it; --replay takes the number of a schedule
  --preemptions <n>   (default 2)

Exits with 1 on a violation, and on a case that was given up.`

/** Of the violations of one case. */
const SHOWN = 5
/** Databases side by side: schedules wait for the journal more than they work. */
const AT_ONCE = 16

const OPTIONS = {
  list: { type: 'boolean' },
  case: { type: 'string' },
  faults: { type: 'string' },
  'max-faults': { type: 'string' },
  'one-set': { type: 'boolean' },
  'max-states': { type: 'string' },
  replay: { type: 'string' },
  schedule: { type: 'string' },
  json: { type: 'boolean' },
  mongod: { type: 'boolean' },
  preemptions: { type: 'string' },
} as const

await command(USAGE, OPTIONS, async (given) => {
  const cases = chosen(given.case)
  if (given.list) return cases.forEach(({ name, summary }) => print(`${name.padEnd(26)}${summary}`))

  if (given.mongod) {
    // The others' handlers speak to MongoDB by mongoose, not through the stores.
    const onStores = cases.filter(({ theatre }) => theatre === BOOKINGS)
    return onMongod(onStores, given.json ?? false, {
      maxPreemptions: count('preemptions', given.preemptions ?? '2'),
      maxFaults: count('max-faults', given['max-faults'] ?? '1'),
      ...(given.replay !== undefined && { only: count('replay', given.replay) }),
    })
  }
  const options: ExploreOptions = {
    rules: await rulesOfMigrations(),
    faults: kinds(given.faults ?? 'crash,late'),
    maxFaults: count('max-faults', given['max-faults'] ?? '1'),
    maxStates: count('max-states', given['max-states'] ?? '8000000'),
    oneSet: given['one-set'] ?? false,
  }
  if (given.replay !== undefined || given.schedule !== undefined) {
    const [only, ...others] = cases
    if (!only || others.length > 0) throw new CommandFailure('Name the one --case to replay.')
    return replay(new Exploring(only, options), given)
  }
  let failed = 0
  for (const each of cases) {
    const found = await new Exploring(each, options).explore()
    print(given.json ? json(found, options) : told(found))
    if (!found.complete) failed++
  }
  return failed > 0 ? 1 : 0
})

async function onMongod(cases: readonly Case[], asJson: boolean, bounds: Bounds & { only?: number }): Promise<number> {
  const server = await startServer(1)
  try {
    const rules = await rulesOfMigrations()
    const databases = await connectMany(AT_ONCE, server.uri, rules, BOOKINGS)
    let failed = 0
    for (const each of cases) {
      const { schedules, tookMs, violations } = await exploreOnMongod(each, databases, { rules, ...bounds })
      if (asJson) print(JSON.stringify({ case: each.name, ...bounds, schedules, tookMs, violations }))
      else
        print(`${each.name}: ${schedules} schedules, ${violations.length} violations, ${(tookMs / 1000).toFixed(1)} s`)
      for (const { schedule, what } of asJson ? [] : violations.slice(0, SHOWN))
        print(`  schedule ${schedule}: ${what}`)
      failed += violations.length
    }
    await Promise.all(databases.map((each) => each.close()))
    return failed > 0 ? 1 : 0
  } finally {
    await server.stop()
  }
}

async function replay(exploring: Exploring, given: { replay?: string; schedule?: string }): Promise<number> {
  const schedule = given.schedule ?? (await exploring.scheduleOf(count('replay', given.replay ?? '')))
  if (schedule === undefined) throw new CommandFailure(`There is no state ${given.replay}.`)
  const wrong = await exploring.replay(schedule, print)
  print(wrong === undefined ? 'Nothing is wrong here.' : `VIOLATION: ${wrong}`)
  return wrong === undefined ? 0 : 1
}

function chosen(names: string | undefined): readonly Case[] {
  if (names === undefined) return CASES
  return names.split(',').map((name) => {
    const found = CASES.find((each) => each.name === name)
    if (!found) throw new CommandFailure(`There is no case ${name}. --list shows all.`)
    return found
  })
}

function kinds(text: string): Fault[] {
  return text.split(',').flatMap((word) => {
    if (word === '') return []
    const kind = FAULTS.find((each) => each === word)
    if (!kind) throw new CommandFailure(`--faults ${word}: not one of ${FAULTS.join(', ')}.`)
    return [kind]
  })
}

function count(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new CommandFailure(`--${option} ${text}: not a number.`)
  return Number(text)
}

function told({ outcomes, violation, ...found }: Exploration): string {
  const lines = [
    `${found.case}: ${found.states} states, ${found.transitions} transitions, ${found.schedules.toPrecision(3)} schedules, ` +
      `${outcomes.size} outcomes, ${(found.tookMs / 1000).toFixed(1)} s${found.complete ? '' : ', NOT COMPLETE'}`,
    ...[...outcomes]
      .sort(([, a], [, b]) => b - a)
      .map(([outcome, times]) => `  ${String(times).padStart(8)}  ${outcome}`),
  ]
  if (violation) {
    lines.push(
      `  VIOLATION: ${violation.what}`,
      `  npm run explore -- --case ${found.case} ... --replay ${violation.state}   (or --schedule ${violation.schedule})`,
    )
  }
  return lines.join('\n')
}

/** As the reports in docs/explore. */
function json({ outcomes, ...found }: Exploration, { faults, maxFaults }: ExploreOptions): string {
  return JSON.stringify({ ...found, faults, maxFaults, outcomes: Object.fromEntries(outcomes) })
}

function print(line: string): void {
  console.log(line)
}
