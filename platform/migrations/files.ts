import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Migration } from './migration.js'

/** What is wrong with the migrations, or with the database they are for; for people. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/**
 * Where migrations lie. The sources say which there are and what their checksums are, also where compiled code runs: the
 * text of compiled code changes with the compiler. A build has a copy of them beside what they were compiled to.
 */
export interface MigrationTree {
  sources: string
  /** What is imported: the sources themselves, or what they were compiled to. */
  modules: string
}

const self = fileURLToPath(import.meta.url)
const ours = join(dirname(self), '..', '..', 'migrations')
export const MIGRATIONS: MigrationTree = { sources: ours, modules: ours }

export interface MigrationFile {
  /** `<domain>/<number>-<words>` */
  id: string
  domain: string
  /** SHA-256 of the source. */
  checksum: string
  load(): Promise<Migration>
}

const FILE = /^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.ts$/
const DOMAIN = /^[a-z][A-Za-z]*$/

/** Domains that have migrations. */
export const migratedDomains = (tree: MigrationTree): string[] =>
  readdirSync(existing(tree), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()

/** No migrations at all would be a database that guards nothing, and nobody would be told. */
function existing({ sources }: MigrationTree): string {
  if (existsSync(sources)) return sources
  throw new MigrationError(`There are no migrations at ${sources}: build again`)
}

/** A domain's migrations, in the order in which they are applied. */
export function listMigrations(domain: string, tree: MigrationTree): MigrationFile[] {
  const directory = join(existing(tree), domain)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => {
      if (!FILE.test(file)) {
        throw new MigrationError(`migrations/${domain}/${file}: a migration is named <4 digits>-<words>.ts`)
      }
      const id = `${domain}/${basename(file, '.ts')}`
      // Line ends may differ between checkouts of the same commit.
      const source = readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n')
      return {
        id,
        domain,
        checksum: createHash('sha256').update(source).digest('hex'),
        load: () => load(id, tree),
      }
    })
}

async function load(id: string, { sources, modules }: MigrationTree): Promise<Migration> {
  const file = join(modules, `${id}${sources === modules ? extname(self) : '.js'}`)
  if (!existsSync(file)) throw new MigrationError(`migrations/${id}.ts is not compiled: run npm run build`)
  const { default: migration } = (await import(pathToFileURL(file).href)) as { default?: Partial<Migration> }
  if (!migration?.up || !migration.down) {
    throw new MigrationError(`migrations/${id}.ts must default-export {up, down}`)
  }
  return migration as Migration
}

/** Writes a new migration after the domain's last one, from a template. Answers its path. */
export function createMigration(id: string, tree: MigrationTree): string {
  const [domain = '', words = '', ...rest] = id.split('/')
  if (!DOMAIN.test(domain) || rest.length > 0) throw new MigrationError('Name it <domain>/<words>')
  const last = listMigrations(domain, tree).at(-1)?.id.split('/')[1] ?? '0000'
  const file = `${String(Number(last.slice(0, 4)) + 1).padStart(4, '0')}-${words}.ts`
  if (!FILE.test(file)) throw new MigrationError('Words are lower-case letters and digits, joined by hyphens')
  const path = join(tree.sources, domain, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, TEMPLATE, { flag: 'wx' })
  return path
}

const TEMPLATE = `import { makes } from '../../platform/migrations/migration.js'

export default makes({
  things: {
    indexes: [{ key: { owner: 1 }, name: 'by_owner' }],
  },
})
`
