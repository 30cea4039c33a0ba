import { availableParallelism, totalmem } from 'node:os'

/** Instances by app: of domains and operations, of the gateway, of each domain not named (`*`), of one app for all others. */
export type Placement = Record<string, number>

export interface Machine {
  cores: number
  memoryBytes: number
}

export const thisMachine = (): Machine => ({ cores: availableParallelism(), memoryBytes: totalmem() })

/** The app of all domains that a placement does not name, where it says how many of it there are. */
export const TOGETHER = 'functions'

/** Fewer cores than that are full with one function process, a gateway worker and the database. */
const MANY_CORES = 6
/** What an app a domain, two instances each, takes: about 100 MB a process. */
const MANY_BYTES = 6 * 2 ** 30

const fitsMany = ({ cores, memoryBytes }: Machine): boolean => cores >= MANY_CORES && memoryBytes >= MANY_BYTES

/**
 * What PLACEMENT says; where it says nothing, what fits the machine. Concurrent bookings in one process share their
 * writes, so on few cores more processes make everything slower; on many, an app a domain uses them.
 */
export const placementFor = (setting: Placement, machine: Machine): Placement =>
  Object.keys(setting).length > 0 ? setting : fitsMany(machine) ? { '*': 2 } : { [TOGETHER]: 1, gateway: 1 }

/** The choice in one line, for whoever starts it. */
export function explainPlacement(setting: Placement, machine: Machine): string {
  if (Object.keys(setting).length > 0) return 'Apps as PLACEMENT says'
  const has = `${machine.cores} cores and ${Math.round(machine.memoryBytes / 2 ** 30)} GB`
  return fitsMany(machine)
    ? `${has}: an app a domain, two instances each (PLACEMENT decides otherwise)`
    : `${has}: all functions in one process, the rest in another, one gateway worker (PLACEMENT decides otherwise)`
}
