import test from 'ava'
import { databaseName } from '../../config/index.js'
import { runRace } from '../../proof/race/logs/run.js'
import { freeUdpPort } from '../../proof/support/ports.js'
import { sharedMongod } from '../support/mongod.js'

/** The short form of `npm run race:logs`. */
const SEED = 20310101

test('what users see is what the logs say, though projections are killed again and again', async (t) => {
  t.timeout(280_000)
  const mongod = await sharedMongod()
  const uri = mongod.uri()
  t.log(`seed ${SEED}, ${databaseName(uri)}`)
  const report = await runRace({
    uri,
    discoveryPort: await freeUdpPort(),
    users: 24,
    commands: 1500,
    maxSeconds: 60,
    seed: SEED,
    liveFromMs: 200,
    liveToMs: 1500,
    say: (line) => t.log(line),
  })
  t.log(report)
  t.deepEqual(report.violations, [])
  t.true(report.kills > 0, 'projections were killed')
  t.true(report.bookingEntries > 0 && report.messageEntries > 0 && report.heard > 0)
})
