import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runRace } from '../../proof/race/tickets/run.js'
import { sharedMongod } from '../support/mongod.js'
import { build, PACKAGE } from '../../proof/support/installation.js'

/** The short form of `npm run race`. */
test('buyers race for tickets while processes are killed: nothing is sold twice, and no money is lost', async (t) => {
  t.timeout(600_000)
  await build()
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-race-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  t.log(`seed ${seed}: SEED=${seed} replays what the buyers do`)
  const { violations, figures, killed } = await runRace({
    mongodbUri: (await sharedMongod()).uri(),
    dist: join(PACKAGE, 'dist'),
    directory,
    buyers: 60,
    tickets: 6,
    seed,
    atOnce: 30,
    orderExpiresAfterMs: 2000,
    say: () => {},
  })
  t.log({ ...figures, killed })
  t.deepEqual(violations, [])
  t.true((figures['sold'] ?? 0) <= 6)
  t.true(killed > 0)
})
