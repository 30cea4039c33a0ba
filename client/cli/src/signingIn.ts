import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { open, type Globals } from './ground.js'
import type { SessionFile } from './session.js'

/** sign-in, sign-out, and for users sign-up. */
export function addSigningIn(program: Command, file: SessionFile, withSignUp: boolean): void {
  const url = (): string => program.opts<Globals>().url
  const begin = (words: string, how: 'signIn' | 'signUp', about: string) =>
    program
      .command(words)
      .description(about)
      .argument('<email>', 'e-mail address')
      .option('--password <password>', 'asked for, unless HOLDFAST_PASSWORD has it')
      .action(async (email: string, given: { password?: string }) => {
        const password = given.password ?? process.env['HOLDFAST_PASSWORD'] ?? (await asked('Password: '))
        const anonymous = await open(url())
        try {
          const session = await anonymous[how]({ email, password, device: program.name() })
          file.keep(url(), session)
          console.log(`Signed in as ${session.user.name}, ${session.user.role}.`)
        } finally {
          anonymous.close()
        }
      })
  begin('sign-in', 'signIn', 'signs in, for later commands too')
  if (withSignUp) begin('sign-up', 'signUp', 'makes an account, and signs in')
  program
    .command('sign-out')
    .description('ends the session')
    .action(async () => {
      const token = file.token(url())
      if (!token) return console.log('Nobody is signed in.')
      const holdfast = await open(url(), token)
      await holdfast.signOut().finally(() => holdfast.close())
      file.forget()
      console.log('Signed out.')
    })
}

/** Nobody looks over the shoulder: what is typed is not shown. */
async function asked(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY })
  process.stdout.write(question)
  Object.assign(lines, { _writeToOutput: () => {} })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stdout.write('\n')
  }
}
