import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { connect, signIn, signUp, type Holdfast } from '../../src/index.js'
import { CONNECT, type Ground } from './ground.js'

/** Whoever signs in, and their password and e-mail address; for users also how they make an account. */
export function addSigningIn(program: Command, ground: () => Ground, withSignUp: boolean): void {
  const device = program.name()
  async function anonymously<T>(work: (anonymous: Holdfast) => Promise<T>): Promise<T> {
    const anonymous = await connect(ground().url, CONNECT)
    return work(anonymous).finally(() => anonymous.close())
  }

  const begin = (words: string, how: typeof signIn, about: string) =>
    withPassword(program.command(words).description(about).argument('<email>', 'e-mail address')).action(
      async (email: string, given: Given) => {
        const { url, store } = ground()
        const { holdfast, user } = await how(
          url,
          { email, password: await passwordOf(given), device },
          { ...CONNECT, store },
        )
        holdfast.close()
        console.log(`Signed in as ${user.name}, ${user.role}.`)
      },
    )
  begin('sign-in', signIn, 'signs in, for later commands too')
  if (withSignUp) begin('sign-up', signUp, 'makes an account, and signs in')
  program
    .command('sign-out')
    .description('ends the session')
    .action(async () => {
      const { connected, store } = ground()
      await connected((holdfast) => holdfast.signOut())
      await store.remove()
      console.log('Signed out.')
    })

  const password = program.command('password').description('change, forgotten, reset')
  withNewPassword(
    withPassword(password.command('change').description('sets another one, and ends other sessions')),
  ).action(async (given: Given) => {
    const [oldPassword, newPassword] = [await passwordOf(given), await newPasswordOf(given)]
    await ground().connected((holdfast) => holdfast.changePassword({ oldPassword, newPassword, device }))
    console.log('The password is set.')
  })
  password
    .command('forgotten')
    .description('has a mail sent with a token for reset')
    .argument('<email>', 'e-mail address')
    .action(async (email: string) => {
      await anonymously((anonymous) => anonymous.requestPasswordReset({ email }))
      console.log(`If there is an account of ${email}, a mail is on its way.`)
    })
  withNewPassword(password.command('reset').description('sets a new one').argument('<token>', "the mail's")).action(
    async (token: string, given: Given) => {
      const newPassword = await newPasswordOf(given)
      await anonymously((anonymous) => anonymous.resetPassword({ token, newPassword, device }))
      console.log('The password is set: sign in with it.')
    },
  )

  const address = program.command('email').description('change, confirm')
  withPassword(
    address
      .command('change')
      .description('has a mail sent there with a token for confirm')
      .argument('<email>', 'new address'),
  ).action(async (email: string, given: Given) => {
    const input = { email, password: await passwordOf(given) }
    await ground().connected((holdfast) => holdfast.requestEmailChange(input))
    console.log(`Unless somebody has ${email} already, a mail is on its way there.`)
  })
  address
    .command('confirm')
    .description('makes the new address yours')
    .argument('<token>', "the mail's")
    .action(async (token: string) => {
      const { email } = await anonymously((anonymous) => anonymous.confirmEmail({ token }))
      console.log(`The address is ${email}.`)
    })
}

interface Given {
  password?: string
  newPassword?: string
}

const withPassword = (command: Command): Command =>
  command.option('--password <password>', 'asked for, unless HOLDFAST_PASSWORD has it')
const withNewPassword = (command: Command): Command =>
  command.option('--new-password <password>', 'asked for, unless HOLDFAST_NEW_PASSWORD has it')

const passwordOf = async ({ password }: Given): Promise<string> =>
  password ?? process.env['HOLDFAST_PASSWORD'] ?? (await asked('Password: '))
const newPasswordOf = async ({ newPassword }: Given): Promise<string> =>
  newPassword ?? process.env['HOLDFAST_NEW_PASSWORD'] ?? (await asked('New password: '))

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
