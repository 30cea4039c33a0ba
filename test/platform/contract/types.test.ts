import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { z } from 'zod'
import { email, knownPassword, line, password, someText, text } from '../../../platform/contract/types.js'
import { searchKey } from '../../../platform/lib/searchKey.js'
import { loadContracts } from '../../../platform/runtime/tree.js'

/** What may be said in texts. */

const accepts = (schema: z.ZodType, value: string): boolean => schema.safeParse(value).success

const NUL = 'a\u0000b'
const BELL = 'a\u0007b'
const LONE_SURROGATE = 'a\ud83dz'
const OVERRIDE = 'ada\u202eexe.fdp'
const ISOLATE = 'ada\u2066exe'
const ZERO_WIDTH = '\u200b\u200d\u2060\ufeff'
const LINES = 'one\ntwo'

test('a line is one line of visible characters', (t) => {
  for (const refused of [
    NUL,
    BELL,
    LONE_SURROGATE,
    OVERRIDE,
    ISOLATE,
    ZERO_WIDTH,
    LINES,
    'a\u2028b',
    '',
    '  ',
    '\u3164',
  ])
    t.false(accepts(line(200), refused), JSON.stringify(refused))
  for (const good of ['Ada', 'Zoë', '王小明', 'עדה', '👩‍🚀', 'O’Neil & Söhne', 'क्षत्रिय'])
    t.is(line(200).parse(`  ${good} `), good)
})

test('a text may have lines, and nothing else that is not seen', (t) => {
  for (const refused of [NUL, BELL, LONE_SURROGATE, OVERRIDE, ISOLATE]) {
    t.false(accepts(text(200), refused), JSON.stringify(refused))
    t.false(accepts(someText(200), refused), JSON.stringify(refused))
  }
  t.is(text(200).parse(`${LINES}\t\r\n`), `${LINES}\t\r\n`)
  t.true(accepts(text(200), ''))
  t.false(accepts(someText(200), ZERO_WIDTH))
  t.is(someText(200).parse(` ${LINES}\n`), LINES)
})

test('e-mail addresses are what mail servers take, without the spaces around them', (t) => {
  const addresses = [
    'a&b=c/d!e#f@example.com',
    'ada@xn--bcher-kva.xn--p1ai',
    'ada+1@sub.example.co',
    "o'neil@a-b.example",
  ]
  for (const good of addresses) t.is(email.parse(` ${good.toUpperCase()}\t`), good)
  const refused = [
    'ada',
    'ada@',
    '@b.example',
    'a..b@c.example',
    '.a@c.example',
    'a@b',
    'a@-b.example',
    'a b@c.example',
  ]
  for (const each of [...refused, 'a@c.example\u0000', `${'a'.repeat(65)}@c.example`, 'ädä@c.example', 'a@1.2.3.4'])
    t.false(accepts(email, each), each)
})

test('passwords and searches are the same however their characters are composed', (t) => {
  t.is(password.parse('Zoe\u0308 and Zoe\u0308'), 'Zo\u00eb and Zo\u00eb')
  t.is(knownPassword.parse('e\u0301'), '\u00e9')
  for (const same of ['İstanbul', 'I\u0307stanbul', 'istanbul', 'ISTANBUL', 'ıstanbul'])
    t.is(searchKey(same), 'istanbul')
  t.is(searchKey('ΟΔΟΣ'), searchKey('οδος'))
})

test('a new password is none that guessers try first; a known one may be', (t) => {
  for (const common of ['password', 'Passw0rd', '1234567890', 'QWERTYUIOP']) {
    t.false(accepts(password, common), common)
    t.true(accepts(knownPassword, common))
  }
  t.true(accepts(password, 'correct horse'))
})

const anyText = fc.string({ unit: 'binary', maxLength: 30 })
/** Characters that come apart, or that must not come, next to each other. */
const oddText = fc
  .array(
    fc.constantFrom('e', '\u0301', '\u00e9', '\u0000', '\u202e', '\u200b', '\ud83d', '\ude00', ' ', '\n', 'ﬁ', 'İ'),
  )
  .map((each) => each.join(''))

testProp('what is accepted is clean, and is accepted again as it stands', [fc.oneof(anyText, oddText)], (t, value) => {
  for (const schema of [line(200), text(200), someText(200), knownPassword]) {
    const parsed = schema.safeParse(value)
    if (!parsed.success) continue
    t.is(schema.parse(parsed.data), parsed.data)
    t.is(parsed.data, parsed.data.normalize('NFC'))
  }
  const said = line(200).safeParse(value)
  if (said.success) t.notRegex(said.data, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|^\s|\s$/u)
  if (said.success) t.is(Buffer.from(said.data).toString(), said.data, 'UTF-8 keeps it')
})

testProp('two spellings of one text are one text', [fc.oneof(anyText, oddText)], (t, value) => {
  for (const schema of [line(200), text(200), knownPassword])
    t.deepEqual(schema.safeParse(value.normalize('NFD')).data, schema.safeParse(value.normalize('NFC')).data)
})

testProp('a search key begins as the key of its beginning does', [fc.string(), fc.string()], (t, start, end) => {
  t.true(searchKey(`${start} ${end}`).startsWith(searchKey(`${start} `)))
})

/** Texts in an input, by their paths. */
function textsOf(schema: z.ZodType, path: string): [path: string, schema: z.ZodType][] {
  if (schema instanceof z.ZodString) return [[path, schema]]
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([key, each]) => textsOf(each as z.ZodType, `${path}.${key}`))
  if (schema instanceof z.ZodArray) return textsOf(schema.element as z.ZodType, `${path}[]`)
  if (schema instanceof z.ZodUnion)
    return schema.options.flatMap((each, i) => textsOf(each as z.ZodType, `${path}|${i}`))
  if (schema instanceof z.ZodRecord)
    return [
      ...textsOf(schema.keyType as z.ZodType, `${path}.<name>`),
      ...textsOf(schema.valueType as z.ZodType, `${path}.*`),
    ]
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return textsOf(schema.unwrap() as z.ZodType, path)
  // A kind that nobody thought of here would be a text that nobody checks.
  if (!NO_TEXT.some((kind) => schema instanceof kind)) throw new Error(`${path} is of an unknown kind`)
  return []
}
const NO_TEXT = [z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral, z.iso.ZodISODateTime]

/** Compared, never shown: a hash takes any of them. Cursors are read before they are used. */
const ANY_TEXT = /\.(cursor|\w*[pP]assword)$/

test('every text of a client is checked: none may have NUL, half a character or turned directions', async (t) => {
  const texts = [...(await loadContracts()).values()]
    .filter(({ access }) => access !== 'internal')
    .flatMap(({ name, input }) => textsOf(input, name))
    .filter(([path]) => !ANY_TEXT.test(path))
  t.true(texts.length > 50, `${texts.length} texts`)
  const open = texts.filter(([, schema]) => [NUL, LONE_SURROGATE, OVERRIDE].some((each) => accepts(schema, each)))
  t.deepEqual(
    open.map(([path]) => path),
    [],
  )
})

const LATE = '9999-12-31T00:00:00.000Z'
const EARLY = '0001-01-01T00:00:00.000Z'

test('every time that a public operation takes is within the years of the settings', async (t) => {
  let times = 0
  for (const { name, access, input } of (await loadContracts()).values()) {
    if (access === 'internal') continue
    for (const path of timesIn(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Shape)) {
      times++
      for (const at of [LATE, EARLY]) {
        const given = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), at)
        const { issues = [] } = input.safeParse(given).error ?? {}
        const told = issues.find((each) => each.path.join('.') === path.join('.'))
        t.is(told?.message, 'must be in the years 1970 to 2199', `${name} takes ${at} as its ${path.join('.')}`)
      }
    }
  }
  t.true(times > 20, `${times} times`)
})

interface Shape {
  format?: string
  properties?: Record<string, Shape>
}

const timesIn = ({ format, properties = {} }: Shape): string[][] =>
  format === 'date-time'
    ? [[]]
    : Object.entries(properties).flatMap(([key, each]) => timesIn(each).map((path) => [key, ...path]))
