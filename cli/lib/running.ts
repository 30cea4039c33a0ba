import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SETTINGS, type Config } from '../../config/index.js'
import { NAMESPACE } from '../../platform/app/ecosystem.js'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'

/** How it is run, not what it does. */
const ITS_OWN = new Set(['PM2_HOME'])

/** Names of the settings that our apps under this PM2_HOME run with otherwise; none where they don't run, or no /proc tells. */
export function settingsThatDiffer(config: Config): string[] {
  const running = environmentOfJobs(config)
  if (!running) return []
  return Object.keys(config.environment).filter(
    (name) => !ITS_OWN.has(name) && effective(name, running.get(name)) !== effective(name, config.environment[name]),
  )
}

function effective(name: string, value = ''): string {
  const setting = Object.values(SETTINGS).find(({ env }) => env === name)
  const set = value || setting?.fallback || ''
  return name === 'DATA_DIR' ? resolve(PACKAGE_ROOT, set) : set
}

/** The jobs are one process in fork mode, whatever the placement: its environment is what PM2 gave it. */
function environmentOfJobs({ pm2Home }: Config): Map<string, string> | undefined {
  try {
    const file = readdirSync(join(pm2Home, 'pids')).find((name) => /^jobs-\d+\.pid$/.test(name))
    if (!file) return undefined
    const pid = Number(readFileSync(join(pm2Home, 'pids', file), 'utf8'))
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    const found = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
    const ours = found.get('namespace') === NAMESPACE && resolve(found.get('pm_cwd') ?? '') === resolve(PACKAGE_ROOT)
    return ours ? found : undefined
  } catch {
    return undefined
  }
}
