import test from 'ava'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { packClient, ROOT, run, shownProgram, stageOfProgram, type Packed } from './packed.js'

const BIN = join(ROOT, 'node_modules/.bin')
let packed: Packed

test.before(async () => {
  packed = await packClient()
})
test.after.always(() => packed.remove())

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  types: [],
}

/** What the compiler says of a program in that folder; without complaints it has also been compiled. */
function compile(file: string): string[] {
  const program = ts.createProgram([join(packed.folder, file)], OPTIONS)
  const { diagnostics } = program.emit()
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, '\n'),
  )
}

test('the lines of the README sign up, book a room and follow a lobby', async (t) => {
  const stage = await stageOfProgram(t)
  const program = await shownProgram()
  t.true(program.split('\n').filter((line) => line !== '').length <= 16)
  await writeFile(join(packed.folder, 'first.ts'), program.replace(':8080', `:${stage.workers[0].port}`))
  t.deepEqual(compile('first.ts'), [])
  const { stdout } = await run(process.execPath, ['first.js'], { cwd: packed.folder, timeout: 20_000 })
  t.is(stdout, 'COMMITTED 0\n')

  const { items } = await stage.system.run(users.listUsers, { query: 'Ada' })
  const booked = await stage.system.run(bookings.listBookings, { userId: items[0]?.id ?? '' })
  t.like(booked.items[0], { state: 'COMMITTED', cost: 0 })
})

test('a wrong input is an error of types, and an editor tells what an operation does', async (t) => {
  const program = (await shownProgram()).replace('roomId: affordable[0].id', 'roomId: 5')
  await writeFile(join(packed.folder, 'wrong.ts'), program)
  t.deepEqual(compile('wrong.ts'), ["Type 'number' is not assignable to type 'string'."])

  const file = join(packed.folder, 'wrong.ts')
  const service = ts.createLanguageService({
    getCompilationSettings: () => OPTIONS,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const text = ts.sys.readFile(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => packed.folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
  })
  const hint = service.getQuickInfoAtPosition(file, program.indexOf('createBooking') + 1)
  t.is(ts.displayPartsToString(hint?.documentation), bookings.createBooking.summary)
})

test('the fake server is in it', async (t) => {
  const program = `import { createFake } from '@holdfast/client/testing'
const fake = createFake()
const { holdfast } = await fake.signUp({ email: 'ada@example.com', password: 'correct horse' })
const car = await fake.admin.createCar({ name: 'Kombi', pricePerHour: 0 })
const period = { from: new Date('2031-01-02T00:00Z'), to: '2031-01-02T01:00:00Z' }
console.log((await holdfast.createBooking({ carId: car.id, ...period })).state)
`
  await writeFile(join(packed.folder, 'fake.ts'), program)
  t.deepEqual(compile('fake.ts'), [])
  const { stdout } = await run(process.execPath, ['fake.js'], { cwd: packed.folder, timeout: 20_000 })
  t.is(stdout, 'COMMITTED\n')
})

test('publint and arethetypeswrong find nothing', async (t) => {
  const installed = join(packed.folder, 'node_modules/@holdfast/client')
  await t.notThrowsAsync(run(join(BIN, 'publint'), ['run', installed, '--strict', '--pack', 'false']))
  await t.notThrowsAsync(run(join(BIN, 'attw'), [packed.file, '--profile', 'esm-only']))
})
