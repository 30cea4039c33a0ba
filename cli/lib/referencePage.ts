import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { QUOTAS } from '../../config/index.js'
import type { Operation } from '../../platform/contract/contract.js'
import { ERRORS, type ErrorCode } from '../../platform/contract/errors.js'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'
import { readVersion } from '../../platform/lib/version.js'
import { COMMON_ERRORS } from './asyncapi.js'
import { SCRIPT, STYLE } from './referenceLook.js'
import { jsonSchema } from './schemas.js'
import { typeOf, type JsonSchema } from './shapes.js'

/** docs/reference.html: all operations and errors on one page that asks for nothing from anywhere. */

interface Example {
  by: string
  input: unknown
  answer: { ok: boolean }
}

const WHO = {
  anyone: 'Anyone, also anonymously.',
  user: 'Users, for what is their own; admins for all.',
  admin: 'Admins.',
  internal: '',
}

export function referencePage(operations: readonly Operation[]): string {
  const examples = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'docs/examples.json'), 'utf8')) as Record<string, Example>
  const open = operations.filter(({ access }) => access !== 'internal')
  const domains = [...new Set(open.map(({ domain }) => domain))].sort()
  const of = (domain: string): Operation[] => open.filter((each) => each.domain === domain)
  return `<!doctype html>
<!-- Made by npm run docs; edit the code it is made from. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Holdfast: reference</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<strong>Holdfast ${readVersion()}</strong>
<input id="search" type="search" placeholder="Search ( / )" aria-label="Search operations, fields and errors">
<span id="found" role="status"></span>
</header>
<nav aria-label="Operations">
${domains.map((domain) => contents(domain, of(domain))).join('\n')}
<h2><a href="#errors">errors</a></h2>
</nav>
<main>
<h1>Reference</h1>
${INTRODUCTION}
${domains
  .map(
    (domain) =>
      `<h2 id="${domain}"><a href="#${domain}">${domain}</a></h2>\n${of(domain)
        .map((each) => section(each, examples[each.name]))
        .join('\n')}`,
  )
  .join('\n')}
<h2 id="errors"><a href="#errors">errors</a></h2>
${Object.keys(ERRORS)
  .map((code) => errorSection(code as ErrorCode, open))
  .join('\n')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`
}

const INTRODUCTION = `<p>A request is <code>socket.timeout(ms).emitWithAck('&lt;operation&gt;', input)</code> over socket.io, its answer
<code>{ok: true, data}</code> or <code>{ok: false, error: {code, message, details?, retryable, requestId}}</code>. With
<code>@holdfast/client</code> each operation is a method that takes the input, answers the data and throws the error.
Ids are 24 hex digits. Amounts are integers in minor units (cents). Any RFC 3339 time is taken; answers are in UTC with
milliseconds. The examples are what one run of a real system said; tokens are left out.</p>
<p>Any operation may be refused with ${COMMON_ERRORS.map(errorLink).join(', ')}.</p>`

const contents = (domain: string, operations: readonly Operation[]): string =>
  `<h2><a href="#${domain}">${domain}</a></h2>
<ul>${operations.map(({ name }) => `<li><a href="#${name}">${name}</a></li>`).join('')}</ul>`

function section(operation: Operation, example: Example | undefined): string {
  const { name, summary, access, idempotent, newId, errors } = operation
  const again = newId
    ? `Safe to send again: with the same <code>${newId}</code> it is done once, and answers the first outcome.`
    : idempotent
      ? 'Safe to send again.'
      : 'Not safe to send again: read first.'
  return `<section id="${name}">
<h3><a href="#${name}">${name}</a></h3>
<p>${escape(summary)}</p>
<p class="facts">${WHO[access]} ${again}${quotaOf(operation)}</p>
<h4>Input</h4>
${table(jsonSchema(operation.input, 'input'))}
<h4>Data</h4>
${table(jsonSchema(operation.output, 'output'))}
<h4>Errors</h4>
<p>${errors.map(errorLink).join(', ') || 'None of its own.'}</p>
${exampleOf(example)}
</section>`
}

function quotaOf({ quota, access }: Operation): string {
  if (!quota) return ''
  const names = [quota.count, ...(quota.bytes ? [quota.bytes.quota] : [])]
  const limits = names.map((each) => `${QUOTAS[each].toLocaleString('en')} <code>${each}</code>`)
  return ` A day and ${access === 'anyone' ? 'address' : 'user'}: at most ${limits.join(', ')}.`
}

function exampleOf(example: Example | undefined): string {
  if (!example) return ''
  const { by, input, answer } = example
  const shown = (value: unknown): string => `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`
  const how = answer.ok ? 'is answered' : 'is refused'
  return `<details><summary>Example</summary><p>${escape(by)} asks</p>${shown(input)}<p>and ${how}</p>${shown(answer)}</details>`
}

function errorSection(code: ErrorCode, operations: readonly Operation[]): string {
  const { retryable, check } = ERRORS[code]
  const by = operations.filter(({ errors }) => errors.includes(code))
  const links = by.map(({ name }) => `<a href="#${name}">${name}</a>`).join(', ')
  return `<section id="error-${code}">
<h3><a href="#error-${code}">${code}</a></h3>
<p>${escape(check)}</p>
<p class="facts">${retryable ? 'Retryable: the same request, sent again later, may succeed.' : 'Not retryable.'}${links && ` Answered by ${links}.`}</p>
</section>`
}

function errorLink(code: string): string {
  return `<a href="#error-${code}"><code>${code}</code></a>`
}

interface Row {
  name: string
  type: string
  unit: string
}

function table(schema: JsonSchema): string {
  const rows = rowsOf(schema, '')
  if (rows.length === 0) return '<p>Nothing: <code>{}</code></p>'
  const lines = rows.map(
    ({ name, type, unit }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(type)}</td><td>${escape(unit)}</td></tr>`,
  )
  return `<div class="wide"><table><thead><tr><th>field</th><th>type</th><th>unit</th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`
}

/** Of objects in objects and in lists, too: `items[].id`. */
function rowsOf({ properties = {}, required = [], additionalProperties: each }: JsonSchema, prefix: string): Row[] {
  const own = Object.entries(properties).flatMap(([key, schema]) => {
    const optional = !required.includes(key) || schema.default !== undefined
    return fieldRows(`${prefix}${key}`, optional, schema)
  })
  return typeof each === 'object' ? [...own, ...fieldRows(`${prefix}<name>`, false, each)] : own
}

function fieldRows(name: string, optional: boolean, schema: JsonSchema): Row[] {
  const fallback = schema.default === undefined ? '' : ` = ${JSON.stringify(schema.default)}`
  const inner = schema.type === 'array' ? schema.items : schema
  const nested = inner?.type === 'object' ? rowsOf(inner, `${name}${inner === schema ? '.' : '[].'}`) : []
  const type = nested.length > 0 ? (inner === schema ? 'object' : 'list') : words(schema)
  return [
    { name: `${name}${optional ? '?' : ''}`, type: type + fallback, unit: unitOf(name, inner ?? schema) },
    ...nested,
  ]
}

/** As docs/operations.md has it, without what Markdown needs. */
const words = (schema: JsonSchema): string => typeOf(schema).replaceAll('\\|', '|').replaceAll('`', '')

function unitOf(name: string, { format, pattern, description, type }: JsonSchema): string {
  if (description) return description
  if (format === 'date-time') return 'RFC 3339'
  if (pattern?.includes('[0-9a-f]{24}')) return '24 hex digits'
  if (type === 'integer' && name.endsWith('Ms')) return 'milliseconds'
  return ''
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
