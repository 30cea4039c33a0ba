import { createHash } from 'node:crypto'
import { appendFileSync, createReadStream, existsSync, readFileSync, rmSync } from 'node:fs'
import type { Command } from 'commander'
import { parse } from 'csv-parse'
import { CallError, type Holdfast } from '../../src/index.js'
import { minorUnits } from './fields.js'
import { CALL, type Ground } from './ground.js'
import { startProgress } from './progress.js'

/** So many rows are on their way at a time. */
const AT_ONCE = 32
const COLUMNS = ['name', 'email', 'role', 'password', 'deposit']

interface Row {
  name: string
  email: string
  role?: 'user' | 'admin'
  password?: string
  /** 12.50 */
  deposit?: string
}

/**
 * `import users FILE`. Each row's ids are made of its e-mail address, so that a row that is sent twice is done once; rows
 * that are done are noted beside the file, to be passed over by whoever starts again.
 */
export function addImport(program: Command, ground: () => Ground): void {
  program
    .command('import')
    .description('makes what a file lists')
    .command('users')
    .description(
      `makes users of a CSV file with the columns ${COLUMNS.join(', ')}; the last three may be missing or empty`,
    )
    .argument('<file>', 'comma separated, UTF-8, with a line of column names')
    .addHelpText(
      'after',
      '\nInterrupt it when you like: the same command goes on, and doubles nothing. Rows that are refused are told at the end.',
    )
    .action((file: string) => ground().connected((holdfast) => importUsers(holdfast, file)))
}

async function importUsers(holdfast: Holdfast, file: string): Promise<void> {
  const rows = await readRows(file)
  const notes = `${file}.done`
  const done = new Set(existsSync(notes) ? readFileSync(notes, 'utf8').split('\n') : [])
  const left = rows.filter(({ email }) => !done.has(keyOf(email)))
  if (left.length < rows.length) console.error(`${rows.length - left.length} of ${rows.length} are done already.`)
  const refused: string[] = []
  const progress = startProgress(rows.length, rows.length - left.length)
  const next = left.values()

  async function work(): Promise<void> {
    for (const row of next) {
      try {
        await importUser(holdfast, row)
        appendFileSync(notes, `${keyOf(row.email)}\n`)
      } catch (error) {
        if (!(error instanceof CallError) || error.retryable) throw error
        refused.push(`${row.email}: ${error.code}: ${error.message}`)
      }
      progress.add()
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  } finally {
    progress.stop()
  }
  console.log(`${rows.length - refused.length} users are there.`)
  if (refused.length > 0) throw new Error(`${refused.length} were refused:\n${refused.join('\n')}`)
  rmSync(notes, { force: true })
}

async function importUser(holdfast: Holdfast, { name, email, role, password, deposit }: Row): Promise<void> {
  const userId = keyOf(email)
  await holdfast.createUser({ userId, name, email, ...(role && { role }), ...(password && { password }) }, CALL)
  const amount = minorUnits(deposit ?? '')
  if (amount === undefined) return
  await holdfast.depositFunds(
    {
      userId,
      depositId: keyOf(`deposit ${email}`),
      amount,
    },
    CALL,
  )
}

/** An id that is always the same for the same address. */
const keyOf = (email: string): string =>
  createHash('sha256').update(`holdfast import ${email.trim().toLowerCase()}`).digest('hex').slice(0, 24)

async function readRows(file: string): Promise<Row[]> {
  const rows: Row[] = []
  const seen = new Map<string, number>()
  const parsed = createReadStream(file).pipe(
    parse({ columns: true, bom: true, trim: true, skip_empty_lines: true, info: true }),
  )
  for await (const each of parsed) {
    const { record, info } = each as { record: Record<string, string>; info: { lines: number } }
    const strange = Object.keys(record).find((column) => !COLUMNS.includes(column))
    if (strange !== undefined) throw new Error(`${file} has a column "${strange}"; there are ${COLUMNS.join(', ')}.`)
    const { name, email, deposit } = record
    if (!name || !email) throw new Error(`${file}, line ${info.lines}: name and email are missing.`)
    if (deposit && minorUnits(deposit) === undefined)
      throw new Error(`${file}, line ${info.lines}: a deposit is written 12.50.`)
    const earlier = seen.get(email.toLowerCase())
    if (earlier !== undefined)
      throw new Error(`${file}, line ${info.lines}: ${email} stands in line ${earlier} already.`)
    seen.set(email.toLowerCase(), info.lines)
    rows.push(record as unknown as Row)
  }
  if (rows.length === 0) throw new Error(`${file} lists nobody.`)
  return rows
}
