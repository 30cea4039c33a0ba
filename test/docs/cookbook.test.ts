import test from 'ava'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { readRecipe, recipes } from '../../cli/lib/cookbook.js'
import { closeKitchen, openKitchen, type Kitchen } from '../../docs/cookbook/kitchen.js'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { followersOf } from '../../projections/followers.js'
import { startFollowers } from '../../projections/runner.js'
import { stageOf } from '../lobbies/support.js'

/** What stands behind the lines that print. */
const promised = (source: string): string[] =>
  [...source.matchAll(/console\.log\(.*\).* \/\/ (.+)$/gm)].map(([, text = '']) => text)

test('each recipe of the cookbook does what it says, and prints what stands there', async (t) => {
  const { system, workers } = await stageOf(t)
  const following = startFollowers(system, followersOf(system))
  t.teardown(() => following.stop())
  const holder = await system.makeUser({ role: 'admin' })
  const token = await signToken({ ...holder, tokenVersion: 0 }, system.config, system.now())
  const url = `http://127.0.0.1:${workers[0].port}`
  const kitchen = await openKitchen(url, token)
  t.teardown(() => closeKitchen(kitchen))

  const names = recipes()
  t.true(names.length >= 10)
  for (const name of names) {
    const { default: cook } = (await import(`../../docs/cookbook/${name}.ts`)) as {
      default(kitchen: Kitchen): Promise<void>
    }
    const lines = promised(readRecipe(name))
    t.true(lines.length > 0, name)
    t.deepEqual(await printedBy(() => cook(kitchen)), lines, name)
  }
  const env = { ...process.env, HOLDFAST_URL: url }
  const words = ['--import=tsx', 'docs/cookbook/run.ts', 'topUp', token]
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: PACKAGE_ROOT, env })
  t.is(stdout, `${promised(readRecipe('topUp')).join('\n')}\n`)
})

async function printedBy(cook: () => Promise<void>): Promise<string[]> {
  const { log } = console
  const printed: string[] = []
  console.log = (...words: unknown[]) => void printed.push(words.join(' '))
  try {
    await cook()
  } finally {
    console.log = log
  }
  return printed
}
