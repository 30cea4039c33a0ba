import test from 'ava'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { users } from '../../functions/users/contract.js'
import { until } from '../../proof/support/until.js'
import { programsOf } from './programs.js'

/** `ROWS=10000` takes two minutes. */
const ROWS = Number(process.env['ROWS'] ?? 1000)

test('an import that is interrupted twice goes on, and makes each user once, with their money', async (t) => {
  const { admin, begin, folder, system } = await programsOf(t)
  const file = join(folder, 'users.csv')
  const rows = Array.from({ length: ROWS }, (_, i) => `"User, ${i}",user${i}@example.com,${i % 2 ? '1.50' : ''}`)
  await writeFile(file, `name,email,deposit\n${rows.join('\n')}\n`)
  const done = async (): Promise<number> =>
    (await readFile(`${file}.done`, 'utf8').catch(() => '')).split('\n').length - 1
  for (const share of [0.2, 0.5]) {
    const child = begin('admin', ['import', 'users', file])
    await until(async () => (await done()) > share * ROWS, { timeoutMs: 120_000 })
    child.kill('SIGINT')
    await once(child, 'close')
    t.true((await done()) < ROWS)
  }
  const { code, stdout, stderr } = await admin('import', 'users', file)
  t.is(code, 0, stderr)
  t.is(stdout, `${ROWS} users are there.\n`)
  t.true(stderr.includes(`of ${ROWS} are done already`))
  t.regex(stderr, new RegExp(`100 % \\| ${ROWS} of ${ROWS} \\| \\d+/s \\| 0 s left`))
  t.is(
    (await admin('export', 'users', join(folder, 'out.csv'))).stdout,
    `${ROWS + 1} rows in ${join(folder, 'out.csv')}.\n`,
  )
  const exported = await readFile(join(folder, 'out.csv'), 'utf8')
  t.is(exported.match(/,1\.50,/g)?.length, ROWS / 2)
  t.is(exported.match(/"User, \d+"/g)?.length, ROWS)
  t.is((await system.run(users.listUsers, { query: 'user7@example.com' })).items.length, 1)
})
