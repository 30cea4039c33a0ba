import { CASES } from './cases.js'
import { Exploring } from './explore.js'
import { rulesOfMigrations } from './rules.js'
import type { Limits } from './world.js'

/** Explores one case in a process of its own and writes what it found as JSON: `exploreCase.ts '{"case": ..., ...}'`. */
const { case: name, ...limits } = JSON.parse(process.argv[2] ?? '{}') as Limits & { case: string; maxStates: number }
const theCase = CASES.find((each) => each.name === name)
if (!theCase) throw new Error(`there is no case ${name}`)
const { outcomes, ...found } = await new Exploring(theCase, { rules: await rulesOfMigrations(), ...limits }).explore()
process.stdout.write(JSON.stringify({ ...found, outcomes: Object.fromEntries(outcomes) }))
