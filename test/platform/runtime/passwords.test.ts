import test from 'ava'
import { Refusal } from '../../../platform/contract/errors.js'
import { hashPassword, verifyPassword } from '../../../platform/runtime/passwords.js'

test.serial('where too many sign in at once an unknown user is refused, and looked at the next time', async (t) => {
  const crowd = Array.from({ length: 150 }, () => verifyPassword('no hash', 'one').catch(() => {}))
  const refusal = await t.throwsAsync(verifyPassword(undefined, 'one'), { instanceOf: Refusal })
  t.is(refusal.code, 'rate_limited')
  await Promise.all(crowd)
  t.false(await verifyPassword(undefined, 'one'))
})

test('a password is verified by its hash alone, and however many at once get their own answer', async (t) => {
  const hashes = await Promise.all(['one', 'two', 'three'].map(hashPassword))
  t.true(hashes.every((hash) => hash.startsWith('$argon2id$v=19$m=19456,t=2,p=1$')))
  t.is(new Set(hashes).size, 3)
  t.deepEqual(
    await Promise.all([
      verifyPassword(hashes[0], 'one'),
      verifyPassword(hashes[1], 'one'),
      verifyPassword(undefined, 'one'),
      verifyPassword(hashes[2], 'three'),
    ]),
    [true, false, false, true],
  )
})

test('what is no hash is an error, and the next password is verified all the same', async (t) => {
  await t.throwsAsync(verifyPassword('no hash', 'one'))
  t.true(await verifyPassword(await hashPassword('one'), 'one'))
})
