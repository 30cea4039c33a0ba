import type { Command } from 'commander'

/** A script for bash: words by what stands before them. */
export function completionOf(program: Command): string {
  const cases = (command: Command, path: string): string[] => [
    `    "${path}") words="${[...command.commands.map((each) => each.name()), ...flagsOf(command)].join(' ')}" ;;`,
    ...command.commands.flatMap((each) => cases(each, `${path} ${each.name()}`.trim())),
  ]
  const name = program.name()
  const fn = `_${name.replace(/-/g, '_')}`
  return `${fn}() {
  local path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do [[ "$word" == -* ]] || path="\${path:+$path }$word"; done
  case "$path" in
${cases(program, '').join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${fn} ${name}`
}

const flagsOf = (command: Command): string[] => [...command.options.map(({ long }) => long ?? ''), '--help']
