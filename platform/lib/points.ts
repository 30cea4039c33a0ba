/**
 * Named fault points: `await point('decide.before')`. Nothing happens there in production. A test arms a handler that
 * throws (a crash), waits (a stall, a race in a chosen order) or kills the process.
 */
type Handler = (name: string) => Promise<void> | void

let handler: Handler | null = null

export const point = (name: string): Promise<void> | void => handler?.(name)

/** Arms every fault point; null disarms. Tests only. */
export function onPoint(next: Handler | null): void {
  handler = next
}
