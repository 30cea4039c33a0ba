import type { Config } from '../../config/index.js'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import { createLogger } from '../../platform/lib/log.js'
import { createSystem } from '../../platform/runtime/system.js'
import { signToken, type TokenSubject } from '../../platform/runtime/tokens.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { CommandFailure } from './command.js'
import { tellPlaces } from './places.js'
import { refuseOutOfReach } from './reach.js'

type Role = TokenSubject['role']

/** Whom the command line acts as. No password: nobody signs in as them, only this machine's secret makes their tokens. */
const OPERATORS: Record<Role, { userId: string; name: string; email: string }> = {
  admin: { userId: '0000000000000000000000a0', name: 'Operator', email: 'operator@holdfast.localhost' },
  user: { userId: '0000000000000000000000b0', name: 'Demo user', email: 'user@holdfast.localhost' },
}

/**
 * A token for this user, or for the command line's own user of that role, which is made where it is missing. Says before
 * that which databases the command speaks of; it needs that of the users alone.
 */
export async function tokenFor(
  config: Config,
  role: Role,
  { userId, speaksOf = ['users'] }: { userId?: string | undefined; speaksOf?: readonly string[] } = {},
): Promise<string> {
  tellPlaces(config, speaksOf)
  await refuseOutOfReach(config, ['users'])
  const system = createSystem({
    config,
    log: createLogger('cli', 'silent'),
    functions: await loadFunctions(['createUser']),
  })
  try {
    await system.databases.connect(['users']).catch((error: Error) => {
      throw new CommandFailure(`MongoDB is out of reach (${error.message}). Does the system run? npm start starts it.`)
    })
    const find = (id: string) => system.model(User).findById(id, { role: 1, tokenVersion: 1 }).lean()
    const own = OPERATORS[role]
    const id = userId ?? own.userId
    if (!userId && !(await find(id))) {
      await system.call(users.createUser, { ...own, role }, { caller: null, requestId: system.newId() })
    }
    const user = await find(id)
    if (!user) throw new CommandFailure(`There is no user ${id}.`)
    if (user.role !== role) throw new CommandFailure(`The user ${id} is not ${role} but ${user.role}.`)
    return await signToken({ userId: id, role, tokenVersion: user.tokenVersion }, config, system.now())
  } finally {
    await system.close()
  }
}
