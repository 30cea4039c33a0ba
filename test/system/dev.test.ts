import test from 'ava'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alive, freeTcpPorts } from '../../proof/support/installation.js'
import { copyTree, operationFile, startDev, type Dev } from '../../proof/support/treeCopy.js'
import { until } from '../../proof/support/until.js'
import { ask, connect } from './load.js'

/** One `npm run dev` in a copy of the tree, and what a developer saves, one after the other. */
let tree: { root: string; remove(): Promise<void> }
let data: string
let env: NodeJS.ProcessEnv
let dev: Dev
let socket: ReturnType<typeof connect>

test.before(async () => {
  tree = await copyTree()
  data = await mkdtemp(join(tmpdir(), 'holdfast-dev-'))
  const [port] = (await freeTcpPorts(1)) as [number]
  env = { ...process.env, DATA_DIR: data, GATEWAY_PORT: String(port), NO_COLOR: '1' }
  dev = startDev(tree.root, env)
  const token = (await dev.says(/token of an admin: /)).split(' ').at(-1) as string
  socket = connect(`http://127.0.0.1:${port}`, token)
})

test.after.always(async () => {
  socket?.disconnect()
  await dev?.interrupt()
  await tree?.remove()
  await rm(data, { recursive: true, force: true })
})

/** What getCar says of a car that does not exist. */
async function answer(): Promise<string> {
  const result = await ask(socket, 'getCar', { carId: 'f'.repeat(24) })
  return result.ok ? 'ok' : result.error.message
}

test.serial('a saved function answers by its new code, on the connection that there was', async (t) => {
  const path = operationFile(tree.root, 'getCar')
  const source = await readFile(path, 'utf8')
  t.regex(await answer(), /There is no car/)
  const { id } = socket
  await writeFile(path, source.replace('There is no car', 'Nowhere is a car'))
  await dev.says(/bookings\.getCar reloaded/)
  t.regex(await answer(), /Nowhere is a car/)
  t.is(socket.id, id)
})

test.serial('a syntax error is told, and the code of before goes on', async (t) => {
  const path = operationFile(tree.root, 'getCar')
  const source = await readFile(path, 'utf8')
  await appendFile(path, '\nconst broken = {')
  const line = await dev.says(/bookings\.getCar not reloaded, the one of before answers: .*getCar\.ts:\d+/)
  t.log(line)
  t.regex(await answer(), /Nowhere is a car/)
  await writeFile(path, source)
  await dev.says(/bookings\.getCar reloaded/, dev.lines.indexOf(line))
})

test.serial('a contract without its function is told, and the code of before goes on', async (t) => {
  const path = join(tree.root, 'functions/bookings/kinds/car/contract.ts')
  const source = await readFile(path, 'utf8')
  const renamed = source.replace('  getCar: operation({', '  fetchCar: operation({')
  t.not(renamed, source)
  const from = dev.lines.length
  await writeFile(path, renamed)
  t.log(await dev.says(/Not reloaded, the code of before answers: .*(fetchCar|getCar)/, from))
  t.regex(await answer(), /Nowhere is a car/)
  await writeFile(path, source)
  await dev.says(/All reloaded/, from)
  t.regex(await answer(), /Nowhere is a car/)
})

test.serial('beside another program at its port it takes the next, and says so', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as { port: number }
  const otherData = await mkdtemp(join(tmpdir(), 'holdfast-dev-'))
  t.teardown(() => rm(otherData, { recursive: true, force: true }))
  const second = startDev(tree.root, { ...env, DATA_DIR: otherData, GATEWAY_PORT: String(port) })
  await second.says(new RegExp(`:${port} is taken .*: listening at \\d+`))
  await second.says(/Ready/)
  await second.interrupt()
  squatter.close()
  t.regex(await answer(), /There is no car|Nowhere is a car/)
})

test.serial('a second one on the same data is refused, and the first goes on', async (t) => {
  const second = startDev(tree.root, env)
  await once(second.child, 'close')
  t.regex(second.lines.join('\n'), /Another system runs on the data in .*: its MongoDB is process \d+/)
  t.regex(await answer(), /Nowhere is a car/)
})

test.serial('Ctrl-C ends everything', async (t) => {
  const mongod = Number(await readFile(join(data, 'dev/mongod/mongod.lock'), 'utf8'))
  t.true(alive(mongod))
  await dev.interrupt()
  await until(() => !alive(mongod), { what: 'MongoDB to end' })
  t.pass()
})
