import { startMongods, type TestMongod } from '../../support/mongod.js'
import { testFaults, testWritesSentTwice } from './scenarios.js'

let two: Promise<TestMongod[]> | undefined

async function options() {
  const [users, bookings] = (await (two ??= startMongods(2))) as [TestMongod, TestMongod]
  return { mongods: { users, bookings } }
}

testFaults(options)
testWritesSentTwice(options)
