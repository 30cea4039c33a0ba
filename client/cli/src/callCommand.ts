import { Argument, Option, type Command } from 'commander'
import type { Holdfast } from '../../src/index.js'
import type { CallCommand } from './calls.js'
import type { Field } from './fields.js'
import { CALL, type Ground } from './ground.js'
import { pagesOf, type Page } from './pages.js'
import { record, table } from './print.js'

type Words = Record<string, unknown>

/** A command that is one call. Its groups, `cars` of `cars add`, are made with the first of them. */
export function addCall(program: Command, spec: CallCommand, ground: () => Ground): void {
  const words = spec.words.split(' ')
  const name = words.pop() as string
  const group = words.reduce(groupOf, program)
  const command = group.command(name).description(spec.about)
  if (group !== program) group.description(group.commands.map((each) => each.name()).join(', '))
  const takes = Object.entries(spec.takes)
  for (const [field, each] of takes) command.addArgument(new Argument(`<${field}>`, each.about).argParser(each.read))
  for (const [field, each] of Object.entries(spec.options)) command.addOption(optionOf(field, each))
  const pages = 'cursor' in spec.options
  if (pages) command.option('--all', 'all pages')

  command.action(async (...given: unknown[]) => {
    const { all, ...options } = command.opts<Words>()
    const taken = Object.fromEntries(takes.map(([field], i) => [field, given[i]]))
    const { json, connected } = ground()
    const data = await connected((holdfast, whoId) => {
      if (spec.updates) return holdfast.update(taken as { carId: string }, () => options, CALL)
      const input = { ...taken, ...options, ...(spec.own && { userId: whoId() }) }
      return all ? allPages(holdfast, spec, input) : holdfast.call(spec.operation as string, input, CALL)
    })
    console.log(json ? JSON.stringify(data, null, 2) : inWords(spec, data as object))
  })
}

const groupOf = (parent: Command, name: string): Command =>
  parent.commands.find((each) => each.name() === name) ?? parent.command(name)

function optionOf(field: string, { about, isSwitch = false, required = false, read }: Field): Option {
  const flag = `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (isSwitch) return new Option(flag, about)
  return new Option(`${flag} <${field}>`, about).argParser(read).makeOptionMandatory(required)
}

async function allPages(holdfast: Holdfast, { operation }: CallCommand, input: Words): Promise<Page> {
  let items: object[] = []
  const read = (from: object) => holdfast.call(operation as string, { ...input, ...from }, CALL) as Promise<Page>
  for await (const page of pagesOf(read, input['cursor'] as string | undefined)) items = items.concat(page)
  return { items, nextCursor: null }
}

function inWords({ columns, leavesOut = [], operation }: CallCommand, data: object): string {
  if (!columns) {
    const shown = Object.entries(data).filter(([field]) => !leavesOut.includes(field))
    return shown.length > 0 ? record(Object.fromEntries(shown)) : 'Done.'
  }
  const { items, nextCursor } = data as Page
  if (items.length === 0) return operation === 'listUsers' ? 'Nobody.' : 'None.'
  return `${table(columns, items)}${nextCursor ? `\nThere are more: --all, or --cursor ${nextCursor}` : ''}`
}
