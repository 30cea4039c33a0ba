import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Operation } from '../contract/contract.js'
import type { DomainEvents, EventSpec } from '../contract/events.js'
import type { NewsSpec } from '../contract/news.js'
import type { FunctionDefinition } from './function.js'

/**
 * The tree is the list of operations: `functions/<domain>/<operation>.ts` for those that clients may call,
 * `functions/<domain>/internal/<operation>.ts` for those that other functions alone may call. Files with a dot in their
 * name (`booking.model.ts`, `booking.engine.ts`) support a domain's functions; `contract.ts` is its contract. What a domain
 * has several kinds of has a folder each, `functions/<domain>/kinds/<kind>/`, with operations of its own, and with
 * `<kind>.kind.ts`, by which the kind makes itself known to its domain: it is loaded before any of the domain's functions.
 */
const FUNCTIONS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'functions')

const INTERNAL = 'internal'
const KINDS = 'kinds'

export interface Located {
  domain: string
  operation: string
  file: string
  /** It lies in `internal/`. */
  internal: boolean
  /** The files by which the kinds of its domain make themselves known. */
  kinds: readonly string[]
}

/** Every operation in the tree, by file name alone: nothing is imported. Throws where a name stands twice. */
export function listTree(root = FUNCTIONS): Located[] {
  const located = directories(root).flatMap((domain) => {
    const folder = join(root, domain)
    const folders = kindsIn(folder)
    const kinds = folders.flatMap(kindFileIn)
    return [folder, ...folders].flatMap((each) => [
      ...operationsIn(domain, each, { internal: false, kinds }),
      ...operationsIn(domain, join(each, INTERNAL), { internal: true, kinds }),
    ])
  })
  const seen = new Map<string, Located>()
  for (const each of located) {
    const other = seen.get(each.operation)
    if (other) throw new Error(`Two functions are called ${each.operation}: ${other.file} and ${each.file}`)
    seen.set(each.operation, each)
  }
  return located.sort((a, b) => `${a.domain}.${a.operation}`.localeCompare(`${b.domain}.${b.operation}`))
}

/** The domains that keep something: those with a `*.model.ts`, so with a database. */
export const domainsWithDatabase = (root = FUNCTIONS): string[] =>
  directories(root).filter((domain) => readdirSync(join(root, domain)).some((file) => /\.model\.(ts|js)$/.test(file)))

/** All contracts, by operation name; no function is imported. What the gateway knows. */
export async function loadContracts(root = FUNCTIONS): Promise<Map<string, Operation>> {
  const operations = new Map<string, Operation>()
  for (const domain of directories(root)) {
    const contract = ((await importFrom(root, domain, 'contract')) as Record<string, Record<string, Operation>>)[domain]
    if (!contract) throw new Error(`functions/${domain}/contract.ts does not export its contract as "${domain}"`)
    for (const operation of Object.values(contract)) {
      if (operations.has(operation.name)) throw new Error(`Two contracts name the operation ${operation.name}`)
      operations.set(operation.name, operation)
    }
  }
  const files = new Set(listTree(root).map(({ operation }) => operation))
  for (const name of operations.keys())
    if (!files.has(name)) throw new Error(`The operation ${name} has a contract but no file`)
  for (const name of files)
    if (!operations.has(name)) throw new Error(`The file ${name}.ts has no entry in its domain's contract`)
  return operations
}

/** What each contract's file exports: its operations under the domain's name, and the shapes that they share. */
export const loadContractModules = async (root = FUNCTIONS): Promise<Record<string, unknown>[]> =>
  Promise.all(
    directories(root).map((domain) => importFrom(root, domain, 'contract') as Promise<Record<string, unknown>>),
  )

/** Every type of event that contracts promise as `emits`, by domain and in the order that they have there. */
export async function loadEvents(root = FUNCTIONS): Promise<(EventSpec & { domain: string; type: string })[]> {
  const modules = (await loadContractModules(root)) as { emits?: DomainEvents }[]
  return modules.flatMap(({ emits }) =>
    Object.entries(emits?.types ?? {}).map(([type, spec]) => ({ domain: emits?.domain as string, type, ...spec })),
  )
}

/** All that contracts let sockets be told, as `news`. */
export async function loadNews(root = FUNCTIONS): Promise<(NewsSpec & { name: string })[]> {
  const modules = (await loadContractModules(root)) as { news?: Record<string, NewsSpec> }[]
  return modules.flatMap(({ news }) => Object.entries(news ?? {}).map(([name, spec]) => ({ name, ...spec })))
}

/**
 * What contracts export as `carriers`, by domain: the collections whose documents carry their events themselves, by the
 * aggregate's type.
 */
export async function loadCarriers(root = FUNCTIONS): Promise<Map<string, Record<string, string>>> {
  const carriers = new Map<string, Record<string, string>>()
  for (const domain of directories(root)) {
    const contract = (await importFrom(root, domain, 'contract')) as { carriers?: Record<string, string> }
    if (contract.carriers) carriers.set(domain, contract.carriers)
  }
  return carriers
}

/** Imports the functions named, or all. Throws, naming the file, where one does not default-export its function. */
export async function loadFunctions(names?: readonly string[], root = FUNCTIONS): Promise<FunctionDefinition[]> {
  const tree = listTree(root)
  const known = new Set(tree.map(({ operation }) => operation))
  for (const name of names ?? []) if (!known.has(name)) throw new Error(`There is no function ${name} in functions/`)
  return Promise.all(
    tree.filter(({ operation }) => !names || names.includes(operation)).map((located) => loadFunction(located)),
  )
}

/** Imports one function. `version`: imports its file anew where it was imported with another one before. */
export async function loadFunction(located: Located, version = ''): Promise<FunctionDefinition> {
  const { domain, operation, file, kinds } = located
  await Promise.all(kinds.map((kind) => import(pathToFileURL(kind).href)))
  const url = pathToFileURL(file).href + (version && `?${version}`)
  const fn = ((await import(url)) as { default?: FunctionDefinition }).default
  if (fn?.operation?.name !== operation || fn.operation.domain !== domain) {
    throw new Error(`${file} must default-export define(${domain}.${operation}, ...)`)
  }
  return fn
}

function operationsIn(domain: string, folder: string, of: Pick<Located, 'internal' | 'kinds'>): Located[] {
  if (of.internal && !existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => /^[a-z][A-Za-z]*\.(ts|js)$/.test(file) && !/^contract\./.test(file))
    .map((file) => ({ domain, operation: basename(file, extname(file)), file: join(folder, file), ...of }))
}

function kindsIn(folder: string): string[] {
  const kinds = join(folder, KINDS)
  return existsSync(kinds) ? directories(kinds).map((kind) => join(kinds, kind)) : []
}

const kindFileIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => /^[a-z][A-Za-z]*\.kind\.(ts|js)$/.test(file))
    .map((file) => join(folder, file))

const directories = (root: string): string[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()

async function importFrom(root: string, domain: string, module: string): Promise<unknown> {
  const file = readdirSync(join(root, domain)).find((each) => new RegExp(`^${module}\\.(ts|js)$`).test(each))
  if (!file) throw new Error(`functions/${domain} has no ${module}.ts`)
  return import(pathToFileURL(join(root, domain, file)).href)
}
