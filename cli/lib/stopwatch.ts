/** Prints lines, each with the seconds since the process began: a build before the command counts too. */
export function stopwatch(): (line: string) => void {
  return (line) => console.log(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}`)
}
