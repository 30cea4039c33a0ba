/**
 * A promise that `begin` settles, unless the signal is aborted before: then it rejects with the signal's reason. Either way
 * what `begin` answers is called, once, and cleans up.
 */
export function abortable<T>(
  signal: AbortSignal | undefined,
  begin: (resolve: (value: T) => void, reject: (reason: Error) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    let settled = false
    let undo = (): void => {}
    const stop = (): void => settle(() => reject(signal?.reason as Error))
    function settle(tell: () => void): void {
      if (settled) return
      settled = true
      signal?.removeEventListener('abort', stop)
      undo()
      tell()
    }
    signal?.addEventListener('abort', stop)
    undo = begin(
      (value) => settle(() => resolve(value)),
      (reason) => settle(() => reject(reason)),
    )
    // It was settled while it began: nothing has been undone yet.
    if (settled) undo()
  })
}

export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  abortable(signal, (resolve) => {
    const timer = setTimeout(resolve, ms)
    return () => clearTimeout(timer)
  })
