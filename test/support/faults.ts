import { onFailpoint } from '../../platform/lib/failpoints.js'

/** What a crash looks like to the code that it hits: nothing in the product knows it. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** Runs something and answers the failpoints that it passed, in order. */
export async function pointsOf(run: () => Promise<unknown>): Promise<string[]> {
  const passed: string[] = []
  onFailpoint((name) => void passed.push(name))
  try {
    await run().catch(() => {})
  } finally {
    onFailpoint(null)
  }
  return passed
}

/**
 * Runs something that dies at its n-th failpoint (from 0), or where it first comes to the one of that name: from there
 * on nothing of it passes any point.
 */
export async function crashAt(at: number | string, run: () => Promise<unknown>): Promise<string | undefined> {
  let passed = 0
  let crashedAt: string | undefined
  onFailpoint((name) => {
    if (crashedAt === undefined && (typeof at === 'number' ? passed++ < at : name !== at)) return
    crashedAt ??= name
    throw new Crash(name)
  })
  try {
    await run().catch(() => {})
  } finally {
    onFailpoint(null)
  }
  return crashedAt
}

/**
 * Runs something that stalls at its n-th failpoint while `meanwhile` runs to its end, and then wakes up and goes on.
 * Answers the point, undefined when there is none.
 */
export async function stallAt(
  n: number,
  run: () => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<string | undefined> {
  let passed = 0
  let wakeUp = (): void => {}
  const stalled = new Promise<string>((atPoint) => {
    onFailpoint((name) => {
      if (passed++ !== n) return
      atPoint(name)
      return new Promise<void>((resolve) => (wakeUp = resolve))
    })
  })
  const ended = run().catch(() => {})
  try {
    const point = await Promise.race([stalled, ended.then(() => undefined)])
    if (point !== undefined) await meanwhile()
    wakeUp()
    await ended
    return point
  } finally {
    onFailpoint(null)
  }
}
