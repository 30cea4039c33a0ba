import { Command, Option } from 'commander'
import { CallError } from '../../src/index.js'
import { refusal } from '../../apps/show.js'
import { addCall } from './callCommand.js'
import type { CallCommand } from './calls.js'
import { completionOf } from './completion.js'
import { groundOf, NotSignedIn, type Globals, type Ground } from './ground.js'
import { openSessionFile } from './session.js'
import { addSigningIn } from './signingIn.js'
import { addWatch } from './watch.js'

export interface ProgramOptions {
  name: string
  about: string
  calls: readonly CallCommand[]
  /** Whether people make accounts with it. */
  signUp: boolean
  /** Further commands. */
  extend?(program: Command, ground: () => Ground): void
}

const OUT_OF_REACH = 3
const UNKNOWN = 4
const EXIT_CODES = `
Amounts are written 12.50, times 2031-01-01T09:00Z; tables show UTC.
Exit codes: 0 done, 1 refused, 2 not understood, ${OUT_OF_REACH} the system is out of reach, ${UNKNOWN} whether it was done is unknown.`

/** Runs a program of the command line, and sets the exit code. */
export async function runProgram({ name, about, calls, signUp, extend }: ProgramOptions): Promise<void> {
  const file = openSessionFile(name)
  const program = new Command(name)
    .description(about)
    .addOption(
      new Option('--url <url>', 'of the gateway').env('HOLDFAST_URL').default(file.url() ?? 'http://127.0.0.1:8080'),
    )
    .addOption(new Option('--token <token>', 'in place of signing in').env('HOLDFAST_TOKEN'))
    .option('--json', 'prints JSON: amounts in minor units, all fields')
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('--help says more.')
    .exitOverride()
  const ground = (): Ground => {
    const globals = program.opts<Globals>()
    return groundOf(globals, file.store(globals.url))
  }

  addSigningIn(program, ground, signUp)
  for (const each of calls) addCall(program, each, ground)
  addWatch(program, ground)
  extend?.(program, ground)
  program
    .command('completion')
    .description(`completes words in bash: source <(${name} completion)`)
    .action(() => console.log(completionOf(program)))
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = exitCodeOf(error)
  }
}

/** And says what is wrong, where commander has not. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CallError) {
    const { code, requestId } = error as CallError
    console.error(refusal(error as CallError))
    if (code === 'internal') console.error(`The log says more, under ${requestId}.`)
    return code === 'unavailable' ? OUT_OF_REACH : code === 'deadline_exceeded' ? UNKNOWN : 1
  }
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : 2
  console.error(error instanceof Error ? error.message : error)
  return error instanceof NotSignedIn ? 2 : 1
}
