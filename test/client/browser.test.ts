import test, { type ExecutionContext } from 'ava'
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { mongodSettings } from '../../config/index.js'
import { bookings } from '../../functions/bookings/contract.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { users } from '../../functions/users/contract.js'
import { startProxy } from '../../proof/support/proxy.js'
import { until } from '../../proof/support/until.js'
import { packClient, shownProgram, stageOfProgram, type Packed } from './packed.js'

/** The packed client in a real browser. */

const CHROMIUM = mongodSettings()
  .path.flatMap((directory) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(directory, name)))
  .find(existsSync)

let packed: Packed
let browser: Browser

test.before(async () => {
  if (CHROMIUM === undefined) return
  packed = await packClient()
  // The sandbox wants another user than root; the pages are our own.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})
test.after.always(async () => {
  await browser?.close()
  await packed?.remove()
})

function inBrowser(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (CHROMIUM) test(title, run)
  else test.skip(`${title}: skipped, there is no chromium; .ci/run installs it where there is apt-get`, (t) => t.pass())
}

/** A page of its own origin that runs this program; what the program logs, and what fails in it. */
async function open(t: ExecutionContext, program: string): Promise<{ page: Page; logged: string[] }> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: packed.folder, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  const server = createServer((request, response) => {
    const isScript = request.url === '/program.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? outputFiles[0]?.text : '<!doctype html><script type="module" src="/program.js"></script>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const page = await browser.newPage()
  t.teardown(async () => {
    await page.close()
    server.close()
  })
  const logged: string[] = []
  page.on('console', (message) => message.type() === 'log' && logged.push(message.text()))
  page.on('pageerror', (error) => logged.push(`failed: ${error.message}`))
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return { page, logged }
}

inBrowser('the lines of the README run in a page', async (t) => {
  const { system, workers } = await stageOfProgram(t)
  const program = (await shownProgram()).replace(':8080', `:${workers[0].port}`)
  const { logged } = await open(t, `${program}\nconsole.log('the end')`)
  await until(() => logged.some((line) => line === 'the end' || line.startsWith('failed')), { timeoutMs: 20_000 })
  t.deepEqual(logged, ['COMMITTED 0', 'the end'])

  const { items } = await system.run(users.listUsers, { query: 'Ada' })
  const booked = await system.run(bookings.listBookings, { userId: items[0]?.id ?? '' })
  t.like(booked.items[0], { state: 'COMMITTED', cost: 0 })
})

inBrowser('a page goes on where it was when its gateway worker goes', async (t) => {
  const { system, workers, lobbyId } = await stageOfProgram(t)
  const random = (): number => 0
  let proxy = await startProxy({ targetPort: workers[0].port, random })
  const { port } = proxy
  t.teardown(() => proxy.close())
  const { logged } = await open(
    t,
    `import { signUp } from '@holdfast/client'
    const account = { email: 'page@example.com', password: 'correct horse', name: 'Page' }
    const { holdfast } = await signUp('http://127.0.0.1:${port}', account)
    holdfast.onStatus(({ state }) => console.log(state))
    const lobby = holdfast.lobby('${lobbyId}', { lastSeq: 0 })
    lobby.following.then(() => console.log('following'))
    for await (const entry of lobby) if (entry.name === 'lobby:message') console.log(entry.text)`,
  )
  const say = (text: string): Promise<unknown> =>
    system.run(lobbies.postToLobby, { lobbyId, messageId: system.newId(), text })
  await until(() => logged.includes('following'), { timeoutMs: 20_000, what: `following: ${logged.join()}` })
  await say('before')
  await until(() => logged.includes('before'))

  await proxy.close()
  await workers[0].gateway.drain()
  await say('meanwhile')
  await until(() => logged.includes('offline'))
  proxy = await startProxy({ targetPort: workers[1].port, port, random })
  await until(() => logged.includes('meanwhile'))
  await say('after')
  await until(() => logged.includes('after'))
  const told = logged.filter((line) => ['before', 'meanwhile', 'after'].includes(line))
  t.deepEqual(told, ['before', 'meanwhile', 'after'])
  t.false(logged.some((line) => line.startsWith('failed')))
})
