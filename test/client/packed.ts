import type { ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bookings } from '../../functions/bookings/contract.js'
import { stageOf, type Stage } from '../lobbies/support.js'

export const run = promisify(execFile)
export const ROOT = join(import.meta.dirname, '../..')

/** What `npm pack` gives, in a folder that has nothing else but what it depends on. */
export interface Packed {
  folder: string
  /** The .tgz. */
  file: string
  remove(): Promise<void>
}

export async function packClient(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-client-'))
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: join(ROOT, 'client') })
  const { version } = JSON.parse(await readFile(join(ROOT, 'client/package.json'), 'utf8')) as { version: string }
  const file = join(folder, `holdfast-client-${version}.tgz`)
  const installed = join(folder, 'node_modules/@holdfast/client')
  await mkdir(installed, { recursive: true })
  await run('tar', ['xzf', file, '--strip-components=1', '-C', installed])
  await symlink(join(ROOT, 'node_modules/socket.io-client'), join(folder, 'node_modules/socket.io-client'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  return { folder, file, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** The first program that the README shows. */
export async function shownProgram(): Promise<string> {
  const [, program = ''] = /```ts\n(import \{ signUp \}[^`]*(?:`[^`]+`[^`]*)*?)```/.exec(
    await readFile(join(ROOT, 'README.md'), 'utf8'),
  ) as RegExpExecArray
  return program
}

/** A system with what that program looks for: rooms, one of which costs nothing, and a lobby. */
export async function stageOfProgram(t: ExecutionContext): Promise<Stage> {
  const stage = await stageOf(t)
  await stage.system.run(bookings.createRoom, { name: 'Double', pricePerNight: 1000, units: 2 })
  await stage.system.run(bookings.createRoom, { name: 'Hut', pricePerNight: 0, units: 2 })
  return stage
}
