import test from 'ava'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { createEventSystem, type EventSystem } from './support.js'

const CLI = join(import.meta.dirname, '../../cli/events.ts')

/** What `npm run events -- ...` prints, and how it ends. */
function run(system: EventSystem, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import=tsx', CLI, ...args],
      { env: { ...process.env, ...system.env } },
      (_error, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}

test('npm run events shows what is not delivered, and sends dead letters again', async (t) => {
  const system = await createEventSystem(t)
  for (let i = 0; i < 2; i++) await system.change(system.newId(), 1)
  const [dead, waiting] = (await system.stored()).map(({ _id }) => _id)
  const failure = { at: system.clock.now(), subscriber: 'listeners.hearThings', code: 'internal', message: 'no' }
  const collection = system.databases.connection('bookings').collection('events')
  const deadAt = { isLocked: false, deadAt: system.clock.now(), alertAt: system.clock.now(), failures: [failure] }
  await collection.updateOne({ _id: dead as never }, { $set: deadAt })

  const [list, listed, shown, unknown, living, help, nothing] = await Promise.all([
    run(system, 'list'),
    run(system, 'dead'),
    run(system, 'show', String(dead)),
    run(system, 'show', '0123'),
    run(system, 'redrive', String(waiting)),
    run(system, '--help'),
    run(system),
  ])
  t.is(list.code, 0, list.error)
  t.regex(list.out, /1 with the dispatcher, 0 failed and retried, 1 dead letters/)
  t.regex(list.out, new RegExp(`^thing:changed .* with the dispatcher +0 +- +${String(waiting)}$`, 'm'))
  t.regex(listed.out, new RegExp(`^thing:changed .* dead +1 +internal +${String(dead)}$`, 'm'))
  t.false(listed.out.includes(String(waiting)))
  t.like(JSON.parse(shown.out), { _id: String(dead), type: 'thing:changed' })
  t.is(unknown.code, 1)
  t.regex(unknown.error, /There is no event "0123"/)
  t.is(living.code, 1)
  t.regex(living.error, /no dead letter/)
  t.regex(help.out, /npm run events -- <what to do>/)
  t.deepEqual([help.code, nothing.code], [0, 1])

  const redriven = await run(system, 'redrive', '--all')
  t.is(redriven.out, '1 are sent again.\n', redriven.error)
  const again = await collection.findOne({ _id: dead as never })
  t.like(again, { isLocked: true, failures: [] })
  t.false('deadAt' in (again ?? {}) || 'alertAt' in (again ?? {}))
})
