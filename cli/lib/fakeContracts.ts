import { z } from 'zod'
import type { Operation } from '../../platform/contract/contract.js'

/** client/src/testing/contracts.ts: what the client's fake server must know of contracts, without zod. */

/** The operations that the fake has. */
const FAKED = [
  ...[
    'signUp',
    'signIn',
    'createUser',
    'getUser',
    'updateUser',
    'listUsers',
    'depositFunds',
    'withdrawFunds',
    'listLedger',
  ],
  ...['createCar', 'updateCar', 'listCars', 'getCar', 'createRoom', 'updateRoom', 'listRooms', 'getRoom'],
  ...['createBooking', 'getBooking', 'listBookings', 'cancelBooking'],
  ...['createTrain', 'getTrain', 'createLobby', 'deleteLobby', 'getLobby', 'listLobbies'],
  ...['joinLobby', 'leaveLobby', 'postToLobby', 'removeFromLobby'],
  ...[
    'sendMessage',
    'acknowledgeMessage',
    'markRead',
    'blockUser',
    'unblockUser',
    'listConversations',
    'getConversation',
  ],
]

export function fakeContracts(operations: readonly Operation[]): string {
  const entries = FAKED.map((name) => {
    const operation = operations.find((each) => each.name === name)
    if (!operation) throw new Error(`The fake has ${name}, which is no operation`)
    const { access, newId, input } = operation
    return `${name}: { access: '${access}', ${newId ? `newId: '${newId}', ` : ''}input: ${JSON.stringify(inputOf(input))} }`
  })
  return `// Made by npm run docs from the contracts; edit those.

import type { Schema } from './input.js'

export interface Contract {
  access: 'anyone' | 'user' | 'admin'
  newId?: string
  input: Schema
}

export const CONTRACTS = {
${entries.join(',\n')}
} satisfies Record<string, Contract>
`
}

/** The JSON schema, and what rules that it can't say do to a text: each is tried on one that breaks that rule alone. */
function inputOf(schema: z.ZodType): unknown {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const type = zodSchema as unknown as z.ZodType
      const takes = (value: unknown): boolean => type.safeParse(value).success
      if (jsonSchema.type === 'object' && !jsonSchema.required?.length && !takes({})) jsonSchema.minProperties = 1
      if (type instanceof z.ZodString && !jsonSchema.pattern && !jsonSchema.format)
        Object.assign(jsonSchema, rulesOf(type))
    },
  })
  void $schema
  return rest
}

const PLAIN = 'abcdefgh'

function rulesOf(type: z.ZodType): Record<string, true> {
  const takes = (value: string): boolean => type.safeParse(value).success
  if (!takes(PLAIN)) return takes('UTC') ? { timeZone: true } : {}
  const rules = {
    trims: type.safeParse(` ${PLAIN}`).data === PLAIN,
    plain: !takes(`${PLAIN}\u0007`),
    oneLine: !takes(`${PLAIN}\n${PLAIN}`),
    visible: !takes('\u2800'.repeat(PLAIN.length)),
  }
  return Object.fromEntries(Object.entries(rules).filter(([, holds]) => holds)) as Record<string, true>
}
