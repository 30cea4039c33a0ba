import { readFileSync } from 'node:fs'

/** Where /proc says nothing: what systems commonly allow at least. */
const FALLBACK = 1024
const SOFT_LIMIT = /^Max open files\s+(\d+|unlimited)/m

/**
 * How many file descriptors this process may have open now. Node raises its own limit as far as it can when it starts,
 * but an operator can lower that of a running process.
 */
export function descriptorLimit(): number {
  const limits = readIfThere('/proc/self/limits') ?? reported()
  const [, soft] = SOFT_LIMIT.exec(limits) ?? []
  return soft === 'unlimited' ? Infinity : Number(soft ?? FALLBACK)
}

/** macOS has no /proc; a report knows, but takes too long to be asked often. */
let report: string | undefined

function reported(): string {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } }
  return (report ??= `Max open files ${userLimits?.open_files?.soft ?? FALLBACK}`)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // None left to read it with: the limit is one that was small.
    return undefined
  }
}
