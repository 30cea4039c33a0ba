/** Prints lines, each with the seconds since the first call. */
export function stopwatch(): (line: string) => void {
  const startedAt = Date.now()
  return (line) => console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}
