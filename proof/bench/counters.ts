import { readFileSync } from 'node:fs'
import type { mongo } from 'mongoose'

/** What a mongod has done since it started, by its own counters. */
export interface DatabaseCounters {
  /** Documents inserted, updated and deleted, however many share a statement or a command. */
  writes: number
  /** Commands, but for those of monitoring and replication. */
  roundTrips: number
  journalSyncs: number
}

/** Commands that drivers, replication and this benchmark send whether or not anybody books. */
const BACKGROUND = /^(hello|isMaster|ping|serverStatus|endSessions|replSet.*|_.*|getParameter|buildInfo|oplog.*)$/i

export async function readDatabaseCounters(db: mongo.Db): Promise<DatabaseCounters> {
  const status = await db.admin().command({ serverStatus: 1 })
  const { commands, document } = status['metrics'] as {
    commands: Record<string, { total?: number }>
    document: Record<'inserted' | 'updated' | 'deleted', number>
  }
  const { 'log sync operations': journalSyncs } = (status['wiredTiger'] as { log: Record<string, number> }).log
  return {
    writes: Number(document.inserted) + Number(document.updated) + Number(document.deleted),
    roundTrips: Object.entries(commands).reduce(
      (sum, [name, { total }]) => (total === undefined || BACKGROUND.test(name) ? sum : sum + Number(total)),
      0,
    ),
    journalSyncs: Number(journalSyncs),
  }
}

export const subtract = <T extends object>(after: T, before: T): T =>
  Object.fromEntries(
    Object.entries(after).map(([key, value]) => [key, (value as number) - (before[key as keyof T] as number)]),
  ) as T

/** Clock ticks a second of /proc/<pid>/stat: fixed at 100 by Linux for what user programs see. */
const TICKS_PER_SECOND = 100

/** CPU seconds that processes have used, by the kernel's account; those that ended count as none. */
export const cpuSecondsOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)

function cpuSeconds(pid: number): number {
  const stat = readProc(pid, 'stat')
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th fields of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND
}

/** Memory that processes hold in RAM, bytes. */
export const residentBytesOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? 0), 0)

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
