import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'

const FOLDER = join(PACKAGE_ROOT, 'docs/cookbook')
/** What runs the recipes is none. */
const OTHERS = new Set(['kitchen.ts', 'run.ts'])

/** Names of the recipes: each is a file of docs/cookbook/. */
export const recipes = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts') && !OTHERS.has(file))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()

export const readRecipe = (name: string): string => readFileSync(join(FOLDER, `${name}.ts`), 'utf8')

/** docs/cookbook.md without its first line: each recipe, under the sentence that it begins with. */
export function cookbookPage(): string {
  return `# Cookbook

What is done most, with [the client](client.md). Each recipe is a file of [cookbook/](cookbook/), and gets the clients of an
admin and of two users with money. A test runs them all; what a line prints stands behind it.

\`\`\`sh
npx tsx docs/cookbook/run.ts bookARoom "$(npm run -s token -- --role admin | tail -n 1)"
\`\`\`

${recipes().map(section).join('\n')}`
}

function section(name: string): string {
  const source = readRecipe(name)
  const [, sentence = ''] = /\/\*\* (.+) \*\//.exec(source) ?? []
  const title = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  const code = source.replace(/\/\*\* .+ \*\/\n/, '').replace(/import type \{ Kitchen \}.*\n/, '')
  return `## ${title.charAt(0).toUpperCase()}${title.slice(1)}

${sentence}

\`\`\`ts
${code.trim()}
\`\`\`

[cookbook/${name}.ts](cookbook/${name}.ts)
`
}
