import { define } from '../../../platform/runtime/function.js'
import { events } from '../../events/contract.js'
import { platform } from '../contract.js'

const TELL_AGAIN_MS = 3_600_000

/**
 * What passes by itself is told to nobody: trouble counts when two looks in a row see it. What was told is kept in this
 * process alone, so that a restart, or a second process, tells once more.
 */
export default define(platform.reportTrouble, async (ctx) => {
  const { status, message, checks } = await ctx.call(platform.getStatus, {})
  const failing = checks.filter(({ ok }) => !ok)
  const troubles = failing.map(({ domain, name, detail }) => ({ about: `${domain}: ${name}`, message: detail }))
  if (status !== 'OK' && troubles.length === 0) troubles.push({ about: 'functions', message })

  const now = ctx.now()
  const due = ctx.use(createMemory).look(troubles, now)
  for (const { about, message, since, seen } of due) {
    // The same until it was told: who could be told while others could not hears it once.
    const key = `${about} ${since.toISOString()} ${seen.toldAt?.toISOString() ?? 'first'}`
    await ctx.call(events.tellTrouble, { key, about, message, since: since.toISOString() })
    seen.toldAt = now
  }
  return { told: due.length }
})

interface Seen {
  since: Date
  toldAt?: Date
}

/** What the look before has seen. */
function createMemory() {
  let known = new Map<string, Seen>()
  return {
    /** Answers what is to be told: what was seen before, and was not told within the hour. */
    look<T extends { about: string }>(troubles: readonly T[], now: Date): (T & { since: Date; seen: Seen })[] {
      const before = known
      known = new Map(troubles.map(({ about }) => [about, before.get(about) ?? { since: now }]))
      return troubles.flatMap((trouble) => {
        const seen = before.get(trouble.about)
        if (!seen || (seen.toldAt && now.getTime() - seen.toldAt.getTime() < TELL_AGAIN_MS)) return []
        return [{ ...trouble, since: seen.since, seen }]
      })
    },
  }
}
