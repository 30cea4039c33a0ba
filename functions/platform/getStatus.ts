import type { Output } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import type { PeerHealth } from '../../platform/runtime/transport.js'
import { listTree, type Located } from '../../platform/runtime/tree.js'
import { readVersion } from '../../platform/lib/version.js'
import { platform } from './contract.js'

export default define(platform.getStatus, async (ctx, { domain }) => {
  const { tree, domains, version, reports } = ctx.use(createBoard)
  if (domain !== undefined && !domains.includes(domain)) {
    throw new Refusal('invalid_input', `There is no domain ${domain}.`, {
      issues: [{ path: 'domain', message: `must be one of ${domains.join(', ')}` }],
    })
  }

  const processes = await ctx.survey()
  const asked = domain === undefined ? domains : [domain]
  const known = reports.get(processes) ?? new Map<string | undefined, Report>()
  const report = known.get(domain) ?? assess(processes, tree, asked)
  reports.set(processes, known.set(domain, report))
  return { ...report, version }
})

type Report = Pick<Output<typeof platform.getStatus>, 'status' | 'message' | 'checks' | 'functions'>

/** What is worked out once a process, and once a survey. */
function createBoard() {
  const tree = listTree()
  const domains = [...new Set(tree.map((each) => each.domain))]
  const reports = new WeakMap<readonly PeerHealth[], Map<string | undefined, Report>>()
  return { tree, domains, version: readVersion(), reports }
}

function assess(processes: readonly PeerHealth[], tree: readonly Located[], asked: readonly string[]): Report {
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
  const checks = asked.flatMap((each) => checksOf(each, processes))
  // A database that is gone is told in words of its own.
  const troubled = checks.filter(({ name, ok }) => !ok && name !== DATABASE)

  return {
    status:
      missing.length + checks.filter(({ ok }) => !ok).length === 0 ? 'OK' : rest.some(works) ? 'DEGRADED' : 'DOWN',
    message: describe(missing, cutOff, troubled),
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

function describe(
  missing: readonly { domain: string; operation: string }[],
  cutOff: readonly string[],
  troubled: readonly Check[],
): string {
  const lacks = [
    ...(missing.length ? [`No instance of ${missing.map((each) => each.operation).join(', ')}.`] : []),
    ...cutOff.map((domain) => `The database of ${domain} does not answer every process that needs it.`),
    ...troubled.map(({ domain, name, detail }) => `The ${name} of ${domain}: ${detail}.`),
  ]
  return lacks.length ? lacks.join(' ') : 'Every function answers.'
}
