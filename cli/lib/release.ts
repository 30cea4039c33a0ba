import { lstatSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'

/** Builds that are kept: the one that runs, and those to go back to. */
const KEPT = 4
const DIST = join(PACKAGE_ROOT, 'dist')

/** The build that this code is of: releases/<id>. */
export const RELEASE = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** The build that dist/ is now, which processes that start run; undefined where it is none of ours. */
export function currentRelease(): string | undefined {
  try {
    return join(PACKAGE_ROOT, readlinkSync(DIST))
  } catch {
    return undefined
  }
}

/** Makes dist/ this build, in one step, and removes builds that are older than the last few. */
export function switchTo(release: string): void {
  if (basename(dirname(release)) !== 'releases' || currentRelease() === release) return
  const link = join(PACKAGE_ROOT, `releases/.dist-${process.pid}`)
  rmSync(link, { force: true })
  symlinkSync(join('releases', basename(release)), link)
  // What was built before builds had folders of their own; a link gives way to a link by itself.
  if (lstatSync(DIST, { throwIfNoEntry: false })?.isDirectory()) rmSync(DIST, { recursive: true })
  renameSync(link, DIST)
  const now = new Date()
  utimesSync(release, now, now)
  removeOld(dirname(release))
}

function removeOld(releases: string): void {
  const newestFirst = readdirSync(releases)
    .filter((name) => /^[0-9a-f]{12}$/.test(name))
    .map((name) => ({ path: join(releases, name), at: statSync(join(releases, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
  for (const { path } of newestFirst.slice(KEPT)) rmSync(path, { recursive: true, force: true })
}
