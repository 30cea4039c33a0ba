import { parseArgs, type ParseArgsConfig } from 'node:util'
// Not from its index: a command that calls nobody is spared socket.io.
import { refusal } from '../../client/apps/show.js'
import { CallError } from '../../client/src/errors.js'
import { Refusal } from '../../platform/contract/errors.js'

/** What went wrong, for the person at the terminal: printed as it is, without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

/**
 * Runs a command of the command line: `--help` prints the usage; a failure is told in a sentence and ends with exit
 * code 1. `main` answers the exit code when that is not 0. A `main` that names a second parameter gets the words that
 * are no options; for the others such a word is a mistake.
 */
export async function command<const O extends Options>(
  usage: string,
  options: O,
  main: (values: Values<O>, words: string[]) => Promise<number | void>,
): Promise<void> {
  try {
    const help = { help: { type: 'boolean', short: 'h' } } as const
    const { values, positionals } = parseArgs({
      options: { ...options, ...help },
      strict: true,
      allowPositionals: main.length > 1,
    })
    if ((values as { help?: boolean }).help) console.log(usage)
    else process.exitCode = (await main(values, positionals)) ?? 0
  } catch (error) {
    process.exitCode = 1
    if (isUsageError(error)) console.error(`${error.message}\n\n${usage}`)
    else if (error instanceof Refusal || error instanceof CallError) console.error(withAdvice(error))
    else if (error instanceof Error && (FOR_PEOPLE.has(error.name) || isOfSystem(error))) console.error(error.message)
    else if (error instanceof Error && OUT_OF_REACH.has(error.name))
      console.error(`MongoDB is out of reach: ${error.message}`)
    else console.error(error)
  }
}

const withAdvice = (error: Refusal | CallError): string =>
  `${refusal(error)}${error.code === 'unavailable' ? ' Does the system run? npm start starts it.' : ''}`

/** By name: the driver's own classes would load the driver for commands that need no database. */
const OUT_OF_REACH = new Set(['MongoServerSelectionError', 'MongoNetworkError', 'MongoNotConnectedError'])

/** Errors whose messages are written for the person at the terminal. */
const FOR_PEOPLE = new Set(['CommandFailure', 'ConfigError', 'MigrationError', 'MongodNotFound', 'ServerUnfit'])

/** A file or a port that can't be had: the message names it. */
const isOfSystem = (error: Error): boolean => 'syscall' in error && 'code' in error

const isUsageError = (error: unknown): error is Error =>
  error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')

/** The value of an option that takes a whole number. */
export function wholeNumber(option: string, text: string | undefined): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new CommandFailure(`--${option} ${text} is not a whole number`)
  return value
}
