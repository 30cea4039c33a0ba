import cliProgress from 'cli-progress'

/** A bar on stderr that tells rate and time left; in a log, where no terminal is, a line now and then. */
export function startProgress(total: number, done = 0): { add(count?: number): void; stop(): void } {
  const startedAtMs = Date.now()
  let count = done
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage} % | {value} of {total} | {rate}/s | {left} left',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 2000,
  })
  const payload = (): { rate: string; left: string } => {
    const seconds = (Date.now() - startedAtMs) / 1000
    const rate = seconds > 0 ? (count - done) / seconds : 0
    return { rate: rate.toFixed(0), left: rate > 0 ? inTime((total - count) / rate) : '?' }
  }
  bar.start(total, done, payload())
  return {
    add(more = 1) {
      count += more
      bar.update(count, payload())
    },
    stop: () => bar.stop(),
  }
}

const inTime = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
