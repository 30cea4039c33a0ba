/** For loops that look after what is due: a wait until a time, which whoever changes that time cuts short. */
export interface Alarm {
  /** Resolves after so long, or when it is woken; at once where it was woken since the last wait. */
  wait(ms: number): Promise<void>
  wake(): void
}

export function createAlarm(): Alarm {
  let woken = false
  let ring = (): void => {}
  return {
    async wait(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          ring = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      // Who waited looks next: that sees whatever it was woken for up to here.
      woken = false
    },
    wake() {
      woken = true
      ring()
    },
  }
}
