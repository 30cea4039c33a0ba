import { loadConfig } from '../config/index.js'
import { id } from '../platform/contract/types.js'
import { command, CommandFailure } from './lib/command.js'
import { tokenFor } from './lib/operator.js'

const USAGE = `npm run token -- --role admin|user [--user ID]

Prints a token for the gateway, alone on the last line: of the user with that id, or of the command line's own admin or
user. It needs the secret that signs tokens (AUTH_SECRET; in development DATA_DIR has it) and the users' database.`

const OPTIONS = { role: { type: 'string' }, user: { type: 'string' } } as const

await command(USAGE, OPTIONS, async ({ role, user }) => {
  if (role !== 'admin' && role !== 'user') throw new CommandFailure(`--role must be admin or user.\n\n${USAGE}`)
  if (user !== undefined && !id.safeParse(user).success)
    throw new CommandFailure(`--user ${user}: not 24 lower-case hex digits.`)
  console.log(await tokenFor(loadConfig(), role, { userId: user }))
})
