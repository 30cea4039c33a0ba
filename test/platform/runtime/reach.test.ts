import test from 'ava'
import mongoose from 'mongoose'
import { outOfReach } from '../../../platform/runtime/system.js'

for (const uri of [
  'mongodb+srv://holdfast.invalid/holdfast',
  'mongodb://holdfast.invalid:1/holdfast?serverSelectionTimeoutMS=200',
]) {
  test(`a name that DNS does not know is a database that is out of reach, which is waited for: ${uri}`, async (t) => {
    const connection = mongoose.createConnection()
    t.teardown(() => connection.close())
    const error = await t.throwsAsync(connection.openUri(uri))
    t.true(outOfReach(error), String(error))
  })
}

test('an address that can never work is not waited for', async (t) => {
  const connection = mongoose.createConnection()
  t.teardown(() => connection.close())
  const error = await t.throwsAsync(connection.openUri('http://127.0.0.1:1/holdfast'))
  t.false(outOfReach(error), String(error))
})
