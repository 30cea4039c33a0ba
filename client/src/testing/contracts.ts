// Made by npm run docs from the contracts; edit those.

import type { Schema } from './input.js'

export interface Contract {
  access: 'anyone' | 'user' | 'admin'
  newId?: string
  input: Schema
}

export const CONTRACTS = {
  signUp: {
    access: 'anyone',
    newId: 'userId',
    input: {
      type: 'object',
      properties: {
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        email: {
          type: 'string',
          maxLength: 254,
          pattern:
            "^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$",
          format: 'email',
        },
        password: { type: 'string', minLength: 8, maxLength: 200 },
        name: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        device: {
          type: 'string',
          minLength: 1,
          maxLength: 100,
          trims: true,
          plain: true,
          oneLine: true,
          visible: true,
        },
      },
      required: ['email', 'password'],
      additionalProperties: false,
    },
  },
  signIn: {
    access: 'anyone',
    input: {
      type: 'object',
      properties: {
        email: {
          type: 'string',
          maxLength: 254,
          pattern:
            "^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$",
          format: 'email',
        },
        password: { type: 'string', maxLength: 200 },
        device: {
          type: 'string',
          minLength: 1,
          maxLength: 100,
          trims: true,
          plain: true,
          oneLine: true,
          visible: true,
        },
      },
      required: ['email', 'password'],
      additionalProperties: false,
    },
  },
  createUser: {
    access: 'admin',
    newId: 'userId',
    input: {
      type: 'object',
      properties: {
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        name: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        email: {
          type: 'string',
          maxLength: 254,
          pattern:
            "^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$",
          format: 'email',
        },
        role: { default: 'user', type: 'string', enum: ['user', 'admin'] },
        password: { type: 'string', minLength: 8, maxLength: 200 },
      },
      required: ['name', 'email'],
      additionalProperties: false,
    },
  },
  getUser: {
    access: 'user',
    input: {
      type: 'object',
      properties: { userId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['userId'],
      additionalProperties: false,
    },
  },
  updateUser: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        version: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
        set: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
              trims: true,
              plain: true,
              oneLine: true,
              visible: true,
            },
            email: {
              type: 'string',
              maxLength: 254,
              pattern:
                "^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$",
              format: 'email',
            },
            role: { type: 'string', enum: ['user', 'admin'] },
          },
          additionalProperties: false,
          minProperties: 1,
        },
      },
      required: ['userId', 'version', 'set'],
      additionalProperties: false,
    },
  },
  listUsers: {
    access: 'admin',
    input: {
      type: 'object',
      properties: {
        query: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      additionalProperties: false,
    },
  },
  depositFunds: {
    access: 'admin',
    newId: 'depositId',
    input: {
      type: 'object',
      properties: {
        depositId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        amount: { type: 'integer', minimum: 1, maximum: 9007199254740991, description: 'minor units (cents)' },
      },
      required: ['userId', 'amount'],
      additionalProperties: false,
    },
  },
  withdrawFunds: {
    access: 'admin',
    newId: 'withdrawalId',
    input: {
      type: 'object',
      properties: {
        withdrawalId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        amount: { type: 'integer', minimum: 1, maximum: 9007199254740991, description: 'minor units (cents)' },
      },
      required: ['userId', 'amount'],
      additionalProperties: false,
    },
  },
  listLedger: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      required: ['userId'],
      additionalProperties: false,
    },
  },
  createCar: {
    access: 'admin',
    newId: 'carId',
    input: {
      type: 'object',
      properties: {
        carId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        name: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        pricePerHour: { type: 'integer', minimum: 0, maximum: 1000000000000, description: 'minor units (cents)' },
      },
      required: ['name', 'pricePerHour'],
      additionalProperties: false,
    },
  },
  updateCar: {
    access: 'admin',
    input: {
      type: 'object',
      properties: {
        carId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        version: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
        set: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
              trims: true,
              plain: true,
              oneLine: true,
              visible: true,
            },
            pricePerHour: { type: 'integer', minimum: 0, maximum: 1000000000000, description: 'minor units (cents)' },
            retired: { type: 'boolean' },
          },
          additionalProperties: false,
          minProperties: 1,
        },
      },
      required: ['carId', 'version', 'set'],
      additionalProperties: false,
    },
  },
  listCars: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        from: { type: 'string', maxLength: 64, format: 'date-time' },
        to: { type: 'string', maxLength: 64, format: 'date-time' },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      additionalProperties: false,
    },
  },
  getCar: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        carId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        from: { type: 'string', maxLength: 64, format: 'date-time' },
        to: { type: 'string', maxLength: 64, format: 'date-time' },
      },
      required: ['carId'],
      additionalProperties: false,
    },
  },
  createRoom: {
    access: 'admin',
    newId: 'roomId',
    input: {
      type: 'object',
      properties: {
        roomId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        name: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        pricePerNight: { type: 'integer', minimum: 0, maximum: 1000000000000, description: 'minor units (cents)' },
        units: { type: 'integer', minimum: 1, maximum: 1000 },
        timeZone: { default: 'UTC', type: 'string', maxLength: 64, timeZone: true },
      },
      required: ['name', 'pricePerNight', 'units'],
      additionalProperties: false,
    },
  },
  updateRoom: {
    access: 'admin',
    input: {
      type: 'object',
      properties: {
        roomId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        version: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
        set: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
              trims: true,
              plain: true,
              oneLine: true,
              visible: true,
            },
            pricePerNight: { type: 'integer', minimum: 0, maximum: 1000000000000, description: 'minor units (cents)' },
            units: { type: 'integer', minimum: 1, maximum: 1000 },
            retired: { type: 'boolean' },
          },
          additionalProperties: false,
          minProperties: 1,
        },
      },
      required: ['roomId', 'version', 'set'],
      additionalProperties: false,
    },
  },
  listRooms: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        from: { type: 'string', maxLength: 64, format: 'date-time' },
        to: { type: 'string', maxLength: 64, format: 'date-time' },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      additionalProperties: false,
    },
  },
  getRoom: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        roomId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        from: { type: 'string', maxLength: 64, format: 'date-time' },
        to: { type: 'string', maxLength: 64, format: 'date-time' },
      },
      required: ['roomId'],
      additionalProperties: false,
    },
  },
  createBooking: {
    access: 'user',
    newId: 'bookingId',
    input: {
      type: 'object',
      properties: {
        bookingId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        maxCost: { type: 'integer', minimum: 0, maximum: 9007199254740991, description: 'minor units (cents)' },
        carId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        roomId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        from: { type: 'string', maxLength: 64, format: 'date-time' },
        to: { type: 'string', maxLength: 64, format: 'date-time' },
      },
      required: ['from', 'to'],
      additionalProperties: false,
    },
  },
  getBooking: {
    access: 'user',
    input: {
      type: 'object',
      properties: { bookingId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['bookingId'],
      additionalProperties: false,
    },
  },
  listBookings: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        state: { type: 'string', enum: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'] },
        standing: { type: 'string', enum: ['active', 'cancelled', 'ended'] },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      additionalProperties: false,
    },
  },
  cancelBooking: {
    access: 'user',
    input: {
      type: 'object',
      properties: { bookingId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['bookingId'],
      additionalProperties: false,
    },
  },
  createTrain: {
    access: 'admin',
    newId: 'trainId',
    input: {
      type: 'object',
      properties: {
        trainId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        route: { type: 'string', minLength: 1, maxLength: 200, trims: true, plain: true, oneLine: true, visible: true },
        departureTime: { type: 'string', maxLength: 64, format: 'date-time' },
        arrivalTime: { type: 'string', maxLength: 64, format: 'date-time' },
        availableSeats: { type: 'integer', minimum: 1, maximum: 2000 },
        pricePerSeat: { type: 'integer', minimum: 0, maximum: 1000000000000, description: 'minor units (cents)' },
      },
      required: ['route', 'departureTime', 'arrivalTime', 'availableSeats', 'pricePerSeat'],
      additionalProperties: false,
    },
  },
  getTrain: {
    access: 'user',
    input: {
      type: 'object',
      properties: { trainId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['trainId'],
      additionalProperties: false,
    },
  },
  createLobby: {
    access: 'admin',
    newId: 'lobbyId',
    input: {
      type: 'object',
      properties: {
        lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        trainId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
      },
      required: ['trainId'],
      additionalProperties: false,
    },
  },
  deleteLobby: {
    access: 'admin',
    input: {
      type: 'object',
      properties: { lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['lobbyId'],
      additionalProperties: false,
    },
  },
  getLobby: {
    access: 'user',
    input: {
      type: 'object',
      properties: { lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['lobbyId'],
      additionalProperties: false,
    },
  },
  listLobbies: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        trainId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
      },
      additionalProperties: false,
    },
  },
  joinLobby: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        lastSeq: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
      },
      required: ['lobbyId'],
      additionalProperties: false,
    },
  },
  leaveLobby: {
    access: 'user',
    input: {
      type: 'object',
      properties: { lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['lobbyId'],
      additionalProperties: false,
    },
  },
  postToLobby: {
    access: 'user',
    newId: 'messageId',
    input: {
      type: 'object',
      properties: {
        messageId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        text: { type: 'string', minLength: 1, maxLength: 2000, trims: true, plain: true, visible: true },
      },
      required: ['lobbyId', 'text'],
      additionalProperties: false,
    },
  },
  removeFromLobby: {
    access: 'admin',
    input: {
      type: 'object',
      properties: {
        lobbyId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        userId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
      },
      required: ['lobbyId', 'userId'],
      additionalProperties: false,
    },
  },
  sendMessage: {
    access: 'user',
    newId: 'messageId',
    input: {
      type: 'object',
      properties: {
        messageId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        toUserId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        text: { type: 'string', minLength: 1, maxLength: 10240, plain: true },
        invitationId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
      },
      required: ['toUserId', 'text'],
      additionalProperties: false,
    },
  },
  acknowledgeMessage: {
    access: 'user',
    input: {
      type: 'object',
      properties: { messageId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['messageId'],
      additionalProperties: false,
    },
  },
  markRead: {
    access: 'user',
    input: {
      type: 'object',
      properties: { messageId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['messageId'],
      additionalProperties: false,
    },
  },
  blockUser: {
    access: 'user',
    input: {
      type: 'object',
      properties: { userId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['userId'],
      additionalProperties: false,
    },
  },
  unblockUser: {
    access: 'user',
    input: {
      type: 'object',
      properties: { userId: { type: 'string', pattern: '^[0-9a-f]{24}$' } },
      required: ['userId'],
      additionalProperties: false,
    },
  },
  listConversations: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
        after: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
      },
      additionalProperties: false,
    },
  },
  getConversation: {
    access: 'user',
    input: {
      type: 'object',
      properties: {
        withUserId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
        limit: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
        cursor: { type: 'string', maxLength: 200 },
        after: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
      },
      required: ['withUserId'],
      additionalProperties: false,
    },
  },
} satisfies Record<string, Contract>
