import { inWords } from '../lib/duration.js'
import type { Backlog } from '../contract/backlog.js'
import type { System } from '../runtime/system.js'
import type { LogEntry } from './appendLog.js'
import type { Projection, ViewDocument } from './projection.js'

/** Views follow within milliseconds; one that has not got an entry that old stands still, or can't keep up. */
const LATE_MS = 10_000

/** Whether a view has what its log has, for getStatus. */
export async function viewCheck<E extends LogEntry, V extends ViewDocument>(
  { now }: Pick<System, 'now'>,
  { name, log, progress }: Projection<E, V>,
): Promise<Backlog['checks'][number]> {
  const { offsets } = await progress()
  const [next] = await log.after(offsets, 1)
  const lateMs = next ? now().getTime() - next.at.getTime() : 0
  if (!next || lateMs <= LATE_MS) return { name: 'view', ok: true, detail: `${name} follows its log` }
  const behind = sum(await log.ends()) - sum(offsets)
  return {
    name: 'view',
    ok: false,
    detail: `${name} is ${behind} entries and ${inWords(lateMs)} behind: does the app "projections" run?`,
  }
}

const sum = (offsets: readonly number[]): number => offsets.reduce((total, each) => total + each, 0)
