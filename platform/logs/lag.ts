import { inWords } from '../lib/duration.js'
import type { Backlog } from '../contract/backlog.js'
import type { System } from '../runtime/system.js'
import type { AppendLog, LogEntry } from './appendLog.js'
import type { Progress } from './projection.js'

/** Followers follow within milliseconds; one that has not got an entry that old stands still, or can't keep up. */
const LATE_MS = 10_000

/** What follows a log: a view, or the news that users are told. */
interface Following {
  name: string
  log: Pick<AppendLog<LogEntry>, 'after' | 'ends'>
  progress(): Promise<Progress>
}

/** Whether a view has what its log has, for getStatus. */
export const viewCheck = ({ now }: Pick<System, 'now'>, view: Following) => check('view', view, now())

/** Whether users are told what a log has. */
export const newsCheck = ({ now }: Pick<System, 'now'>, news: Following) => check('news', news, now())

/** Streams are named by those who meet in them: that is for `npm run views -- status` alone. */
async function check(
  what: 'view' | 'news',
  { name, log, progress }: Following,
  now: Date,
): Promise<Backlog['checks'][number]> {
  const { offsets, halts = [] } = await progress()
  const [next] = await log.after(offsets, 1)
  const lateMs = next ? now.getTime() - next.at.getTime() : 0
  const troubles: string[] = []
  if (lateMs > LATE_MS) {
    const behind = sum(await log.ends()) - sum(offsets)
    troubles.push(`is ${behind} entries and ${inWords(lateMs)} behind: does the app "projections" run?`)
  }
  if (halts.length > 0) {
    const oldest = halts.reduce((least, { since }) => Math.min(least, since.getTime()), Infinity)
    troubles.push(`can't take ${halts.length} streams, the oldest for ${inWords(now.getTime() - oldest)}`)
  }
  return { name: what, ok: troubles.length === 0, detail: `${name} ${troubles.join('; ') || 'follows its log'}` }
}

const sum = (offsets: readonly number[]): number => offsets.reduce((total, each) => total + each, 0)
