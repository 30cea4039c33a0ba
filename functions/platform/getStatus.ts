import type { Output } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import type { PeerHealth } from '../../platform/runtime/transport.js'
import { listTree, type Located } from '../../platform/runtime/tree.js'
import { readVersion } from '../../platform/lib/version.js'
import { backlogs, type BacklogCheck } from './backlog.remote.js'
import { platform } from './contract.js'

export default define(platform.getStatus, async (ctx, { domain }) => {
  const { tree, domains, version, reports } = ctx.use(createBoard)
  if (domain !== undefined && !domains.includes(domain)) {
    throw new Refusal('invalid_input', `There is no domain ${domain}.`, {
      issues: [{ path: 'domain', message: `must be one of ${domains.join(', ')}` }],
    })
  }

  const [processes, waiting] = await Promise.all([ctx.survey(), ctx.use(backlogs)()])
  const known = reports.of(processes, waiting)
  const report = known.get(domain) ?? assess({ processes, waiting, tree, domains, domain })
  known.set(domain, report)
  return { ...report, version }
})

type Report = Pick<Output<typeof platform.getStatus>, 'status' | 'message' | 'checks' | 'functions'>

/** What is worked out once a process, and once for what was seen. */
function createBoard() {
  const tree = listTree()
  const domains = [...new Set(tree.map((each) => each.domain))]
  let latest: { seen: readonly unknown[]; reports: Map<string | undefined, Report> } | undefined
  const reports = {
    of(...seen: readonly unknown[]): Map<string | undefined, Report> {
      if (!latest?.seen.every((each, i) => each === seen[i])) latest = { seen, reports: new Map() }
      return latest.reports
    },
  }
  return { tree, domains, version: readVersion(), reports }
}

interface Seen {
  processes: readonly PeerHealth[]
  waiting: readonly BacklogCheck[]
  tree: readonly Located[]
  domains: readonly string[]
  /** Asked for; undefined: all. */
  domain: string | undefined
}

function assess({ processes, waiting, tree, domains, domain }: Seen): Report {
  const asked = domain === undefined ? domains : [domain]
  const instances = countInstances(processes)
  const functions = tree
    .filter((each) => asked.includes(each.domain))
    .map((each) => ({ ...each, instances: instances.get(`${each.domain}.${each.operation}`) ?? 0 }))
  const missing = functions.filter((each) => each.instances === 0)
  const cutOff = asked.filter((each) => processes.some(({ databases }) => databases[each] === false))
  const works = (each: string) =>
    functions.some((fn) => fn.domain === each && fn.instances > 0) &&
    (!cutOff.includes(each) || processes.some(({ databases }) => databases[each]))
  // Whoever answers this is alive; that says nothing of the rest.
  const rest = asked.filter((each) => each !== platform.getStatus.domain)
  // Nor does a domain that keeps nothing of its own, such as events, where all that keep something are cut off.
  const keeping = rest.filter((each) => processes.some(({ databases }) => each in databases))
  const ofProcesses = asked.flatMap((each) => checksOf(each, processes))
  // The jobs are nobody's domain: they are told with all. What was seen behind a database that is gone says nothing now.
  const ofWork = waiting.filter(
    (each) => (domain === undefined || each.domain === domain) && !cutOff.includes(each.domain),
  )
  const checks = [...ofProcesses, ...ofWork]
  const isBad = ({ ok }: Check): boolean => !ok

  return {
    status:
      missing.length + checks.filter(isBad).length === 0
        ? 'OK'
        : (keeping.length > 0 ? keeping : rest).some(works)
          ? 'DEGRADED'
          : 'DOWN',
    message: describe({
      missing,
      cutOff,
      // A database that is gone is told in words of its own.
      own: ofProcesses.filter((each) => isBad(each) && each.name !== DATABASE),
      waiting: ofWork.filter(isBad),
    }),
    checks,
    functions: functions.map((each) => ({ name: each.operation, instances: each.instances })),
  }
}

const DATABASE = 'database'

type Check = Report['checks'][number]

/** The database of a domain, as all its processes see it together; and what each of them looks after besides. */
function checksOf(domain: string, processes: readonly PeerHealth[]): Check[] {
  const hosts = processes.filter(({ operations }) => operations.some((each) => each.startsWith(`${domain}.`)))
  const pings = hosts.flatMap(({ databases }) => databases[domain] ?? [])
  const answered = pings.filter(Boolean).length
  return [
    ...(pings.length === 0
      ? []
      : [
          {
            domain,
            name: DATABASE,
            ok: answered === pings.length,
            detail: `answers ${answered} of ${pings.length} processes`,
          },
        ]),
    ...hosts.flatMap(({ checks }) => Object.entries(checks).map(([name, check]) => ({ domain, name, ...check }))),
  ]
}

function countInstances(processes: readonly PeerHealth[]): Map<string, number> {
  const instances = new Map<string, number>()
  for (const { operations } of processes) {
    for (const operation of operations) instances.set(operation, (instances.get(operation) ?? 0) + 1)
  }
  return instances
}

interface Lacks {
  missing: readonly { domain: string; operation: string }[]
  cutOff: readonly string[]
  /** What a process looks after. */
  own: readonly Check[]
  waiting: readonly Check[]
}

/** One cause is named once, however many processes and domains meet it. */
function describe({ missing, cutOff, own, waiting }: Lacks): string {
  // What follows a semicolon are figures of the process alone.
  const causes = new Set(own.map(({ name, detail }) => `The ${name}: ${detail.split(';')[0]}.`))
  const lacks = [
    ...(missing.length ? [`No instance of ${missing.map((each) => each.operation).join(', ')}.`] : []),
    ...(cutOff.length === 1 ? [`The database of ${cutOff[0]} does not answer every process that needs it.`] : []),
    ...(cutOff.length > 1
      ? [`The databases of ${cutOff.join(', ')} do not answer every process that needs them.`]
      : []),
    ...causes,
    ...waiting.map(({ name, detail }) => `The ${name}: ${detail}.`),
  ]
  return lacks.length ? lacks.join(' ') : 'Every function answers.'
}
