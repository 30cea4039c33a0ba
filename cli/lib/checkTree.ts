import { listMigrations, migratedDomains, MIGRATIONS } from '../../platform/migrations/files.js'
import { loadContracts, loadFunctions } from '../../platform/runtime/tree.js'
import { CommandFailure } from './command.js'

/** What the other apps are made of; each function's file is loaded by itself. */
const PARTS = {
  gateway: () => import('../../gateway/server.js'),
  projections: () => import('../../projections/followers.js'),
  jobs: () => import('../../jobs/scheduler.js'),
  timers: () => import('../../jobs/timers.js'),
  agendash: () => import('../../jobs/dashboard.js'),
  webhooks: () => import('../../webhooks/server.js'),
  events: () => import('../../platform/events/dispatcher.js'),
}

/**
 * Loads the whole tree that this process is of, and compares its contracts with its files: before anything is stopped for
 * it. Throws a sentence that names what does not fit.
 */
export async function checkTree(): Promise<void> {
  await attempt('The contracts', loadContracts)
  await attempt('The functions', loadFunctions)
  for (const [name, load] of Object.entries(PARTS)) await attempt(`The part ${name}`, load)
  for (const domain of migratedDomains(MIGRATIONS)) {
    for (const { id, load } of listMigrations(domain, MIGRATIONS)) await attempt(`The migration ${id}`, load)
  }
}

async function attempt(what: string, load: () => Promise<unknown>): Promise<void> {
  try {
    await load()
  } catch (error) {
    const { name, message } = error as Error
    throw new CommandFailure(
      `${what} of this build cannot be loaded: ${name === 'Error' ? '' : `${name}: `}${message}. Mend that and try again; what runs is as it was.`,
      { cause: error },
    )
  }
}
