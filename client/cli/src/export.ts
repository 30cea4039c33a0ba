import { createWriteStream, renameSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import { stringify } from 'csv-stringify'
import { money } from '../../apps/show.js'
import type { Data, Holdfast, Input } from '../../src/index.js'
import type { Ground } from './ground.js'
import { pagesOf, type Page } from './pages.js'
import { MONEY } from './print.js'

type Read = (holdfast: Holdfast, input: { limit: number; cursor?: string }) => Promise<Page>

const LISTS: Record<string, { read: Read; columns: readonly string[] }> = {
  users: {
    read: (holdfast, input: Input<'listUsers'>): Promise<Data<'listUsers'>> => holdfast.listUsers(input),
    columns: ['id', 'name', 'email', 'role', 'balance', 'createdAt'],
  },
  bookings: {
    read: (holdfast, input: Input<'listBookings'>): Promise<Data<'listBookings'>> => holdfast.listBookings(input),
    columns: ['id', 'userId', 'carId', 'roomId', 'trainId', 'state', 'standing', 'from', 'to', 'cost', 'createdAt'],
  },
}
const PAGE = 200

/** `export users FILE`, `export bookings FILE`: the file appears when it is complete. */
export function addExport(program: Command, ground: () => Ground): void {
  const group = program.command('export').description('writes all there is into a CSV file')
  for (const [what, { read, columns }] of Object.entries(LISTS)) {
    group
      .command(what)
      .description(`${what}: ${columns.join(', ')}`)
      .argument('<file>', 'is made anew')
      .action((file: string) =>
        ground().connected((holdfast) => exportTo(file, columns, (input) => read(holdfast, input))),
      )
  }
}

async function exportTo(
  file: string,
  columns: readonly string[],
  read: (input: { limit: number; cursor?: string }) => Promise<Page>,
): Promise<void> {
  const partial = `${file}.partial`
  const cast = {
    number: (value: number, { column }: { column?: string | number | undefined }) =>
      MONEY.has(String(column)) ? money(value) : String(value),
  }
  const rows = stringify({ header: true, columns: [...columns], cast })
  const written = finished(rows.pipe(createWriteStream(partial)))
  let count = 0
  for await (const items of pagesOf((from) => read({ limit: PAGE, ...from }))) {
    for (const each of items) rows.write(each)
    count += items.length
    if (process.stderr.isTTY) process.stderr.write(`\r${count}`)
  }
  rows.end()
  await written
  renameSync(partial, file)
  if (process.stderr.isTTY) process.stderr.write('\r')
  console.log(`${count} rows in ${file}.`)
}
