/**
 * Named failpoints: `await failpoint('decide.before')`. Nothing happens there in production. A test arms a handler that
 * throws (a crash), waits (a stall, a race in a chosen order) or kills the process.
 */
type Handler = (name: string) => Promise<void> | void

let handler: Handler | null = null

export const failpoint = (name: string): Promise<void> | void => handler?.(name)

/** Arms every failpoint; null disarms. Tests only. */
export function onFailpoint(next: Handler | null): void {
  handler = next
}
