/** Lets so much be under way at once; the others wait for their turn, in order. */
export interface Turns {
  /**
   * Resolves when it is this one's turn, with what ends it. Undefined: `signal` was aborted, or too many wait already.
   */
  enter(weight: number, signal: AbortSignal): Promise<(() => void) | undefined>
  /** Nothing is under way, and nobody waits. */
  idle(): boolean
}

const MAX_WAITING = 1000

/** `capacity` may change: it is asked whenever somebody wants in. */
export function createTurns(capacity: () => number): Turns {
  const waiting = new Set<() => void>()
  let taken = 0

  /** What is heavier than everything that may be under way is let in alone. */
  const fits = (weight: number): boolean => taken === 0 || taken + weight <= capacity()

  function next(): void {
    const before = waiting.size
    const [first] = waiting
    first?.()
    // It went in: the one behind it may fit too.
    if (waiting.size < before) next()
  }

  function take(weight: number): () => void {
    taken += weight
    let ended = false
    return () => {
      if (ended) return
      ended = true
      taken -= weight
      next()
    }
  }

  return {
    enter(weight, signal) {
      if (signal.aborted || waiting.size >= MAX_WAITING) return Promise.resolve(undefined)
      if (waiting.size === 0 && fits(weight)) return Promise.resolve(take(weight))
      return new Promise((resolve) => {
        const goIn = (): void => {
          if (!fits(weight)) return
          leave()
          resolve(take(weight))
        }
        const giveUp = (): void => {
          leave()
          resolve(undefined)
          next()
        }
        const leave = (): void => {
          waiting.delete(goIn)
          signal.removeEventListener('abort', giveUp)
        }
        waiting.add(goIn)
        signal.addEventListener('abort', giveUp)
      })
    },
    idle: () => taken === 0 && waiting.size === 0,
  }
}
