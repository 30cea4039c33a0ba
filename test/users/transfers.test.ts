import test from 'ava'
import { users } from '../../functions/users/contract.js'
import { Deposit, Withdrawal } from '../../functions/users/transfer.model.js'
import { DEPOSIT, WITHDRAWAL, type TransferKind } from '../../functions/users/transfer.kinds.js'
import { User } from '../../functions/users/user.model.js'
import { Refusal } from '../../platform/contract/errors.js'
import { crashAt, stallAt } from '../support/faults.js'
import { admin, createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const NOBODY = 'ffffffffffffffffffffffff'
const MAX = Number.MAX_SAFE_INTEGER

/** Both kinds go through the same rows: one adds, one takes. */
const KINDS = [
  {
    kind: DEPOSIT,
    sign: 1,
    move: (system: TestSystem, id: string, userId: string, amount: number, by = admin) =>
      system.run(users.depositFunds, { depositId: id, userId, amount }, by),
    tooMuch: MAX,
  },
  {
    kind: WITHDRAWAL,
    sign: -1,
    move: (system: TestSystem, id: string, userId: string, amount: number, by = admin) =>
      system.run(users.withdrawFunds, { withdrawalId: id, userId, amount }, by),
    tooMuch: 1001,
  },
] as const

type Row = (typeof KINDS)[number]

const refusalOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run
    return 'none'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

/** The balance, once the ledger, the records and the audit agree on it. */
async function audited(system: TestSystem, userId: string): Promise<number> {
  const { items } = await system.run(users.auditUsers, { userIds: [userId] }, null)
  const violations = items.flatMap((item) => item.violations)
  if (violations.length > 0) throw new Error(violations.join('; '))
  return items[0]?.balance ?? NaN
}

async function recover(system: TestSystem) {
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  return system.run(users.recoverTransfers, {}, null)
}

const recordOf = (system: TestSystem, kind: TransferKind, id: string) => system.model(kind.model).findById(id).lean()

for (const { kind, sign, move, tooMuch } of KINDS) {
  test.serial(`a ${kind.name} moves the money once, however often it is sent`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    const id = system.newId()
    const first = await move(system, id, userId, 300)
    t.is(first.balance, 1000 + sign * 300)
    t.deepEqual(await move(system, id, userId, 300), first)
    const atOnce = await Promise.all(Array.from({ length: 5 }, () => move(system, id, userId, 300)))
    for (const each of atOnce) t.deepEqual(each, first)
    t.is(await audited(system, userId), 1000 + sign * 300)
    t.like(await recordOf(system, kind, id), { state: 'COMMITTED', amount: 300 })
  })

  test.serial(`a ${kind.name} that arrives twice at once moves the money once`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    const id = system.newId()
    const [one, other] = await Promise.all([move(system, id, userId, 300), move(system, id, userId, 300)])
    t.deepEqual(one, other)
    t.is(await audited(system, userId), 1000 + sign * 300)
  })

  test.serial(`many ${kind.name}s at once all count`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    await Promise.all(Array.from({ length: 50 }, () => move(system, system.newId(), userId, 20)))
    t.is(await audited(system, userId), 1000 + sign * 1000)
  })

  /** From the most to the least broken request: each row mends one defect of the row before. */
  test.serial(`the errors of a ${kind.name} come in the documented order`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    const used = system.newId()
    const id = system.newId()
    await move(system, used, userId, 1)
    await (sign === 1
      ? system.run(users.withdrawFunds, { userId, amount: 1 })
      : system.run(users.depositFunds, { userId, amount: 1 }))
    const rows = [
      ['forbidden', () => move(system, used, NOBODY, tooMuch, { userId, role: 'user' })],
      ['invalid_input', () => move(system, used, NOBODY, 0)],
      ['invalid_input', () => move(system, used, NOBODY, -1)],
      ['invalid_input', () => move(system, used, NOBODY, 0.5)],
      ['invalid_input', () => move(system, used, NOBODY, MAX + 1)],
      [kind.idReused, () => move(system, used, NOBODY, tooMuch)],
      [kind.idReused, () => move(system, used, userId, tooMuch)],
      [kind.idReused, () => move(system, used, userId, 1, { userId: NOBODY, role: 'admin' })],
      ['user_not_found', () => move(system, id, NOBODY, tooMuch)],
      [kind.refusal.code, () => move(system, id, userId, tooMuch)],
      ['none', () => move(system, system.newId(), userId, 1)],
    ] as const
    for (const [code, run] of rows) t.is(await refusalOf(run()), code)
    t.is(await audited(system, userId), 1000 + sign)
  })

  test.serial(`a refused ${kind.name} stays refused, whatever the balance becomes`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    const id = system.newId()
    t.is(await refusalOf(move(system, id, userId, tooMuch)), kind.refusal.code)
    await (sign === 1
      ? system.run(users.withdrawFunds, { userId, amount: 1000 })
      : system.run(users.depositFunds, { userId, amount: 1000 }))
    t.is(await refusalOf(move(system, id, userId, tooMuch)), kind.refusal.code)
    t.like(await recordOf(system, kind, id), { state: 'CANCELLED', reason: kind.refusal.code })
    t.is(await audited(system, userId), sign === 1 ? 0 : 2000)
  })

  for (const refused of [false, true]) {
    const amount = refused ? tooMuch : 300
    const after = refused ? 1000 : 1000 + sign * 300
    const what = `${refused ? 'refused ' : ''}${kind.name}`

    test.serial(`a ${what} that crashes at any point is ended by recovery, once`, async (t) => {
      const system = await createTestSystem(t)
      const crashed: string[] = []
      for (let n = 0; ; n++) {
        const { userId } = await system.makeUser({ balance: 1000 })
        const id = system.newId()
        const point = await crashAt(n, () => move(system, id, userId, amount))
        if (point === undefined) break
        crashed.push(point)
        const before = await recordOf(system, kind, id)
        const report = await recover(system)
        t.is(report.examined, before?.state === 'PENDING' ? 1 : 0, point)
        t.is(await audited(system, userId), before ? after : 1000, point)
        t.is(
          (await recordOf(system, kind, id))?.state,
          before ? (refused ? 'CANCELLED' : 'COMMITTED') : undefined,
          point,
        )
        // The client never heard of it and asks again.
        t.is(await refusalOf(move(system, id, userId, amount)), refused ? kind.refusal.code : 'none', point)
        t.is(await audited(system, userId), after, point)
      }
      t.deepEqual(crashed, [
        'transfer.insert.before',
        'transfer.insert.after',
        'transfer.apply.before',
        'transfer.apply.after',
        ...(refused ? ['transfer.void.before', 'transfer.void.after'] : []),
        'transfer.settle.before',
        'transfer.settle.after',
      ])
    })

    test.serial(`a ${what} that stalls at any point while recovery ends it, then wakes up, does no harm`, async (t) => {
      const system = await createTestSystem(t)
      for (let n = 0; ; n++) {
        const { userId } = await system.makeUser({ balance: 1000 })
        const id = system.newId()
        let code: string | undefined
        const point = await stallAt(
          n,
          async () => (code = await refusalOf(move(system, id, userId, amount))),
          () => recover(system),
        )
        if (point === undefined) break
        t.is(code, refused ? kind.refusal.code : 'none', point)
        t.is(await audited(system, userId), after, point)
      }
    })
  }

  test.serial(
    `a ${kind.name} that stalls until the balance has changed and was voided does not come back`,
    async (t) => {
      const system = await createTestSystem(t)
      const { userId } = await system.makeUser({ balance: 1000 })
      const id = system.newId()
      let code: string | undefined
      // It stalls before its apply; meanwhile the balance refuses it, recovery voids it, and then would allow it again.
      const undo = (): Promise<unknown> => reverse(system, sign, userId)
      await stallAt(
        2,
        async () => (code = await refusalOf(move(system, id, userId, 600))),
        async () => {
          await exhaust(system, sign, userId)
          await recover(system)
          await undo()
        },
      )
      t.is(code, kind.refusal.code)
      t.like(await recordOf(system, kind, id), { state: 'CANCELLED' })
      t.is(await audited(system, userId), 1000)
    },
  )

  test.serial(`a ${kind.name} older than the user's memory is given another try, or found ended`, async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser({ balance: 1000 })
    const forget = () => system.model(User).updateOne({ _id: userId }, { $max: { forgottenBefore: system.now() } })
    // Not begun: as if its process had stood still for a day between the insert and the apply.
    const id = system.newId()
    let code: string | undefined
    await stallAt(
      2,
      async () => (code = await refusalOf(move(system, id, userId, 300))),
      async () => {
        system.clock.advance(48 * HOUR_MS)
        await forget()
      },
    )
    t.is(code, 'none')
    t.deepEqual((await recordOf(system, kind, id))?.createdAt, system.now())
    t.is(await audited(system, userId), 1000 + sign * 300)

    // Ended and forgotten: the late apply touches nothing.
    const late = system.newId()
    const point = await stallAt(
      2,
      async () => (code = await refusalOf(move(system, late, userId, 300))),
      async () => {
        await recover(system)
        system.clock.advance(48 * HOUR_MS)
        await system.run(users.tidyUsers, {}, null)
      },
    )
    t.is(point, 'transfer.apply.before')
    t.is(code, 'none')
    t.like(await system.model(User).findById(userId).lean(), { transfers: [], voidedTransfers: [] })
    t.is(await audited(system, userId), 1000 + sign * 600)
  })
}

test.serial('a deposit and a withdrawal with one id are two movements', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser({ balance: 1000 })
  const id = system.newId()
  const [deposit, withdrawal] = KINDS
  await deposit.move(system, id, userId, 300)
  t.is((await withdrawal.move(system, id, userId, 500)).balance, 800)
  t.is(await refusalOf(withdrawal.move(system, system.newId(), userId, 801)), 'insufficient_funds')
  t.is(await audited(system, userId), 800)
})

test.serial('a balance reaches 2^53 - 1 and not beyond', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  t.is((await system.run(users.depositFunds, { userId, amount: MAX })).balance, MAX)
  t.is((await system.refused(users.depositFunds, { userId, amount: 1 })).code, 'balance_limit_exceeded')
  t.is((await system.run(users.withdrawFunds, { userId, amount: 1 })).balance, MAX - 1)
  t.is((await system.run(users.depositFunds, { userId, amount: 1 })).balance, MAX)
  for (let i = 0; i < 3; i++) {
    t.is((await system.run(users.withdrawFunds, { userId, amount: MAX })).balance, 0)
    t.is((await system.run(users.depositFunds, { userId, amount: MAX })).balance, MAX)
  }
  t.is((await system.refused(users.withdrawFunds, { userId, amount: MAX + 1 })).code, 'invalid_input')
  t.is(await audited(system, userId), MAX)
})

test.serial('money is stored as 64-bit integers, of whatever size', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser({ balance: 5 })
  const types = await system
    .model(User)
    .aggregate<{ balance: string; change: string }>([
      { $project: { balance: { $type: '$balance' }, change: { $type: { $first: '$recentLedger.change' } } } },
    ])
  t.deepEqual(
    types.map(({ balance, change }) => [balance, change]),
    [['long', 'long']],
  )
  for (const model of [Deposit, Withdrawal])
    t.is(await system.model(model).countDocuments({ amount: { $not: { $type: 'long' } } }, { hint: '_id_' }), 0)
  t.is(await audited(system, userId), 5)
})

test.serial('recovery leaves alone what has only begun, and is safe to run many times at once', async (t) => {
  const system = await createTestSystem(t)
  const owners = await Promise.all(Array.from({ length: 10 }, () => system.makeUser({ balance: 100 })))
  for (const { userId } of owners) await crashAt(3, () => system.run(users.depositFunds, { userId, amount: 10 }))
  t.like(await system.run(users.recoverTransfers, {}, null), { examined: 0 })
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  await Promise.all(Array.from({ length: 4 }, () => system.run(users.recoverTransfers, {}, null)))
  for (const { userId } of owners) t.is(await audited(system, userId), 110)
  t.like(await recover(system), { examined: 0 })
})

/** Brings the balance to where another movement of 600 is refused, and back. */
async function exhaust(system: TestSystem, sign: Row['sign'], userId: string): Promise<void> {
  if (sign === 1) await system.run(users.depositFunds, { userId, amount: MAX - 1000 })
  else await system.run(users.withdrawFunds, { userId, amount: 1000 })
}

async function reverse(system: TestSystem, sign: Row['sign'], userId: string): Promise<void> {
  if (sign === 1) await system.run(users.withdrawFunds, { userId, amount: MAX - 1000 })
  else await system.run(users.depositFunds, { userId, amount: 1000 })
}
