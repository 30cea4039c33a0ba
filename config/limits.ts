import { ConfigError, type Settings } from './settings.js'

export interface DerivedLimits {
  recovery: { stuckAfterMs: number; intervalMs: number; lockMs: number }
  /**
   * How long callers wait, by the contract's kind of deadline. `write`: how long a step waits for its write, so that
   * who called it still hears what became of it.
   */
  deadlinesMs: { quick: number; money: number; step: number; write: number; sweep: number }
  /** How long a stopping process goes on with what is in flight. PM2's kill_timeout is longer. */
  drainMs: number
}

/**
 * The limits that hang together. Whoever runs the money path gives up well before recovery may call its booking stuck:
 * not for safety (epochs give that) but so that recovery never works against a living owner.
 */
export function limits(s: Settings): DerivedLimits {
  const { recoveryStuckAfterMs: stuckAfterMs, recoveryIntervalMs: intervalMs } = s
  const money = s.moneyDeadlineMs || Math.min(15_000, Math.floor(stuckAfterMs * 0.6))
  if (money >= stuckAfterMs) {
    throw new ConfigError(
      `MONEY_DEADLINE_MS=${money} must be shorter than RECOVERY_STUCK_AFTER_MS=${stuckAfterMs}: recovery would take over bookings from their living owners`,
    )
  }
  if (money < 300) throw new ConfigError(`MONEY_DEADLINE_MS=${money} is under its minimum, 300`)
  const step = Math.floor(money / 3)
  return {
    recovery: { stuckAfterMs, intervalMs, lockMs: Math.max(5000, 2 * intervalMs) },
    deadlinesMs: { quick: 5000, money, step, write: Math.floor((step * 2) / 3), sweep: 60_000 },
    drainMs: Math.max(money, 5000) + 1000,
  }
}
