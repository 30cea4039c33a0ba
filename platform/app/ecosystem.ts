import { ConfigError, type Config } from '../../config/index.js'
import { listTree, type Located } from '../runtime/tree.js'
import { placementFor, thisMachine, TOGETHER, type Placement } from './placement.js'

/** One PM2 app, in the words of PM2's ecosystem file. */
export interface AppSpec {
  name: string
  namespace: string
  /** From `cwd`: PM2 takes a path with a space in it for a command line. */
  script: string
  args?: string[]
  cwd: string
  exec_mode: 'fork' | 'cluster'
  instances: number
  node_args: string
  wait_ready: true
  listen_timeout: number
  kill_timeout: number
  min_uptime: number
  max_restarts: number
  env: Readonly<Record<string, string>>
  merge_logs: true
  pmx: false
  vizion: false
}

/** Groups our apps in `pm2 ls`, and tells them from others in the same PM2_HOME. */
export const NAMESPACE = 'holdfast'
/** The embedded MongoDB, which `npm start` runs under PM2 beside the ecosystem, so that a reload leaves it alone. */
export const MONGOD_APP = 'mongod'

/** What PM2 takes for every process there is, MongoDB too. */
const PM2_FOR_ALL = 'all'
export const HOST_SCRIPT = 'platform/app/host.js'

const DEFAULT_INSTANCES = 2
/**
 * Besides gateway and functions, with one instance each, because none is waited for: views and timers go on where they
 * were when it is back, and whoever sends webhooks sends them again. More would be safe, and do the same work twice.
 * Where the functions share a process, so do these.
 */
const BACKGROUND = [
  ['projections', 'projections/main.js'],
  ['jobs', 'jobs/main.js'],
  ['agendash', 'jobs/agendash.js'],
  ['webhooks', 'webhooks/main.js'],
] as const
const BACKGROUND_TOGETHER = 'background'
/** Whichever placement chose them: they call functions, and some listen at ports that only one can have. */
export const BACKGROUND_APPS: readonly string[] = [BACKGROUND_TOGETHER, ...BACKGROUND.map(([name]) => name)]

/** Whatever app has this domain delivers events too. One of its instances works, another takes over when it dies. */
const DISPATCHING = 'events'

/**
 * The PM2 apps: the functions in apps as PLACEMENT says, or as fits the machine, the gateway, and what works in the
 * background: projections, jobs, agendash and webhooks.
 * Throws where PLACEMENT names nothing that exists, or two apps would have one name.
 */
export function ecosystem(
  config: Config,
  root: string,
  tree: readonly Located[] = listTree(),
  machine = thisMachine(),
): AppSpec[] {
  const placement = placementFor(config.placement, machine)
  const common = appDefaults(config, root)
  const fixed: AppSpec[] = [
    // One HTTP port for all gateway workers is what cluster mode is for. Not for functions: it would share their
    // sockets among the instances as well, and calls would reach the wrong ones.
    app('gateway', 'gateway/main.js', { exec_mode: 'cluster', instances: instancesOf('gateway', placement) }),
    ...(placement[TOGETHER]
      ? [alone(BACKGROUND_TOGETHER, 'jobs/background.js')]
      : BACKGROUND.map(([name, script]) => alone(name, script))),
  ]
  const apps = [...hosts(placement, tree).map(host), ...fixed]
  refuseSharedNames([...apps.map(({ name }) => name), MONGOD_APP, PM2_FOR_ALL])
  return apps

  function host({ name, operations, instances }: Host): AppSpec {
    const args = ['--app', name, '--operations', operations.map(({ operation }) => operation).join(',')]
    if (operations.some(({ domain }) => domain === DISPATCHING)) args.push('--dispatch')
    // Where the machine is short of CPU, those who wait for an answer go first, and events come later.
    if (name === DISPATCHING) args.push('--yield')
    return app(name, HOST_SCRIPT, { exec_mode: 'fork', instances, args })
  }

  function alone(name: string, script: string): AppSpec {
    return app(name, script, { exec_mode: 'fork', instances: 1 })
  }

  function app(
    name: string,
    script: string,
    own: Pick<AppSpec, 'exec_mode' | 'instances'> & { args?: string[] },
  ): AppSpec {
    return { name, namespace: NAMESPACE, script: `dist/${script}`, ...own, ...common }
  }
}

function appDefaults(config: Config, root: string) {
  return {
    cwd: root,
    // Without the first a failed import or a rejection that nobody handles leaves an `online` process that does nothing.
    // The second lets memory for new objects grow to four times its usual size where there is load: what a request makes
    // is garbage when it is answered, and need not be moved before.
    node_args: '--unhandled-rejections=strict --max-semi-space-size=64',
    // `online` means that it answers. After listen_timeout PM2 goes on as if it did, so that is generous: a reload
    // that went on too early would stop the last instance that works.
    wait_ready: true,
    listen_timeout: 30_000,
    kill_timeout: config.drainMs + 3000,
    // PM2 gives an app up (`errored`) once it ended max_restarts times within min_uptime of its start, all within
    // min_uptime * max_restarts of `pm2 start` or a reload. Code that can't run gets there even when all apps at once
    // fail to load on two cores; a process that lives longer in between, killed however often, never does.
    // No restart_delay and no exp_backoff_restart_delay: with either PM2 shows `waiting restart` in place of `errored`.
    min_uptime: 10_000,
    max_restarts: 10,
    // PM2 lays what it is given over what a process had: a setting that was taken away is emptied by name.
    env: config.environment,
    merge_logs: true,
    pmx: false,
    vizion: false,
  } as const
}

const instancesOf = (name: string, placement: Placement): number =>
  placement[name] ?? placement['*'] ?? DEFAULT_INSTANCES

interface Host {
  name: string
  operations: Located[]
  instances: number
}

function hosts(placement: Placement, tree: readonly Located[]): Host[] {
  const domains = [...new Set(tree.map(({ domain }) => domain))]
  const operations = new Set(tree.map(({ operation }) => operation))
  for (const name of Object.keys(placement)) {
    if (!['gateway', '*', TOGETHER, ...domains].includes(name) && !operations.has(name)) {
      throw new ConfigError(`PLACEMENT names "${name}", which is neither a domain nor an operation`)
    }
  }
  const appOf = ({ domain, operation }: Located): string => {
    if (placement[operation]) return operation
    return placement[TOGETHER] && !placement[domain] ? TOGETHER : domain
  }
  const apps = new Map<string, Located[]>()
  for (const each of tree) apps.set(appOf(each), [...(apps.get(appOf(each)) ?? []), each])
  return [...apps].map(([name, hosted]) => ({ name, operations: hosted, instances: instancesOf(name, placement) }))
}

function refuseSharedNames(names: string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw new ConfigError(`Two PM2 apps would be called ${twice}: rename the domain or the operation`)
}
