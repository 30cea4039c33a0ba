import { z } from 'zod'
import { loadConfig, nearest } from '../config/index.js'
import type { Operation } from '../platform/contract/contract.js'
import { loadContracts } from '../platform/runtime/tree.js'
import { command, CommandFailure } from './lib/command.js'
import { withClient } from './lib/gateway.js'
import { tokenFor } from './lib/operator.js'
import { allDomains } from './lib/places.js'
import { rows, type JsonSchema } from './lib/shapes.js'
import { table } from '../client/apps/show.js'

const USAGE = `npm run call -- <operation> ['<input as JSON>']

Calls an operation of the running system through the gateway, as the command line's admin, and prints its data.
  --as <user id>          as this user
  --list                  the operations and what they do
  --input <operation>     what an operation takes
  --completion            a script that completes names in bash: source <(npm run -s call -- --completion)`

const OPTIONS = {
  as: { type: 'string' },
  list: { type: 'boolean' },
  input: { type: 'string' },
  completion: { type: 'boolean' },
} as const

await command(USAGE, OPTIONS, async ({ as, list, input: shown, completion }, [name, text = '{}', ...rest]) => {
  const operations = new Map([...(await loadContracts())].filter(([, { access }]) => access !== 'internal'))
  const find = (wanted: string) => {
    const found = operations.get(wanted)
    if (found) return found
    const [near] = nearest(wanted, [...operations.keys()])
    throw new CommandFailure(
      `There is no operation ${wanted}${near ? `: did you mean ${near}?` : '; --list shows all.'}`,
    )
  }
  if (completion) return console.log(completionOf([...operations.keys()]))
  if (list) return operations.forEach(({ summary }, each) => console.log(`${each.padEnd(24)}  ${summary}`))
  if (shown !== undefined) return console.log(describe(find(shown)))
  if (name === undefined || rest.length > 0) throw new CommandFailure(USAGE)
  find(name)
  const input = parse(text)
  const config = loadConfig()
  const token = await tokenFor(config, as === undefined ? 'admin' : 'user', { userId: as, speaksOf: allDomains() })
  await withClient(config, token, async (client) => {
    console.log(JSON.stringify(await client.call(name, input, { deadlineMs: config.deadlinesMs.sweep }), null, 2))
  })
})

function describe({ name, summary, input }: Operation): string {
  const fields = rows(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
  return `${name}: ${summary}\n\n${table(
    ['FIELD', 'WHAT'],
    fields.map((each) => [each.name, each.type]),
  )}`
}

function parse(text: string): object {
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  } catch {
    // Told below.
  }
  throw new CommandFailure(`The input is no JSON object: ${text}. In a shell: '{"userId": "..."}'`)
}

function completionOf(names: readonly string[]): string {
  return `_holdfast_call() { [[ "\${COMP_WORDS[2]}" == call ]] && COMPREPLY=($(compgen -W "${names.join(' ')}" -- "\${COMP_WORDS[COMP_CWORD]}")); }
complete -o default -F _holdfast_call npm`
}
