import test, { type ExecutionContext } from 'ava'
import { crashAt, pointsOf, stallAt } from './faults.js'
import { createTestSystem, type TestSystem } from './system.js'

/** What is run with a fault at each of its failpoints, what must be there before, and what must hold after. */
export interface FaultTests<Scenario extends { run(system: TestSystem, stage: Stage): Promise<unknown> }, Stage> {
  scenarios: Record<string, Scenario>
  createSystem(t: ExecutionContext): Promise<TestSystem>
  stageFor(system: TestSystem, scenario: Scenario): Promise<Stage>
  /** Until nothing is outstanding. */
  recover(system: TestSystem): Promise<unknown>
  assertSettled(
    t: ExecutionContext,
    system: TestSystem,
    scenario: Scenario,
    stage: Stage,
    what: string,
  ): Promise<unknown>
}

/** Each scenario with a crash, and with a stall, at each of its failpoints. */
export function testCrashesAndStalls<S extends { run(system: TestSystem, stage: G): Promise<unknown> }, G>({
  scenarios,
  createSystem,
  stageFor,
  recover,
  assertSettled,
}: FaultTests<S, G>): void {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test.serial(`${name}, crashed at every point`, async (t) => {
      const system = await createSystem(t)
      const points = await pointsOf(async () => scenario.run(system, await stageFor(system, scenario)))
      const crashes: string[] = []
      for (let n = 0; ; n++) {
        const stage = await stageFor(system, scenario)
        const crashed = await crashAt(n, () => scenario.run(system, stage))
        if (crashed === undefined) break
        crashes.push(crashed)
        await recover(system)
        await assertSettled(t, system, scenario, stage, `crash at ${n} ${crashed}`)
      }
      t.true(crashes.length >= 6, `only ${crashes.length} points: ${points.join(' ')}`)
      t.log(`${crashes.length} crash points`)
    })

    test.serial(`${name}, stalled at every point while recovery ends it`, async (t) => {
      const system = await createSystem(t)
      const other = await createTestSystem(t, { beside: system })
      let stalls = 0
      for (; ; stalls++) {
        const stage = await stageFor(system, scenario)
        const stalled = await stallAt(
          stalls,
          () => scenario.run(system, stage),
          () => recover(other),
        )
        if (stalled === undefined) break
        await recover(other)
        await assertSettled(t, system, scenario, stage, `stall at ${stalls} ${stalled}`)
      }
      t.true(stalls >= 6)
      t.log(`${stalls} stall points`)
    })
  }
}
