import { makes } from '../../platform/migrations/migration.js'
import {
  BY_AGE,
  CHANGE,
  COUNT,
  DATE,
  documentOf,
  FLAG,
  ID,
  LIST,
  MONEY,
  NEWEST_FIRST,
  NUMBER,
  objectOf,
  oneOf,
  PLACES,
  QUOTAS,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  users: {
    // The last line behind the guards of the protocol: no write, whoever sends it, leaves a balance below zero.
    schema: documentOf(
      {
        name: TEXT,
        nameKey: TEXT,
        email: TEXT,
        role: oneOf('user', 'admin'),
        tokenVersion: COUNT,
        balance: MONEY,
        netDeposits: CHANGE,
        ...PLACES,
        transfers: LIST,
        voidedTransfers: LIST,
        recentLedger: LIST,
        archivedLedger: objectOf({ count: COUNT, balance: MONEY }),
        version: COUNT,
        request: REQUEST,
        createdAt: DATE,
        updatedAt: DATE,
      },
      {
        passwordHash: TEXT,
        accessChangedAt: DATE,
        payments: LIST,
        pendingPayments: LIST,
        paymentTombstones: LIST,
      },
    ),
    indexes: [
      { key: { email: 1 }, name: 'one_user_per_email', unique: true },
      // listUsers: by age, and by the beginning of a name.
      BY_AGE,
      { key: { nameKey: 1 }, name: 'by_name' },
      // Who is told when an operator has to act. Admins are few: other users never enter it.
      { key: { role: 1 }, name: 'admins', partialFilterExpression: { role: 'admin' } },
      // Whose access changed of late: few, and no booking touches it.
      {
        key: { accessChangedAt: 1 },
        name: 'by_change_of_access',
        partialFilterExpression: { accessChangedAt: { $exists: true } },
      },
    ],
  },
  sessions: {
    schema: documentOf(
      {
        userId: ID,
        tokenVersion: COUNT,
        secretHash: TEXT,
        createdAt: DATE,
        lastUsedAt: DATE,
        expiresAt: DATE,
      },
      { device: TEXT, network: TEXT },
    ),
    indexes: [
      // listSessions, and which are one too many.
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_user' },
      { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 },
    ],
  },
  apiKeys: {
    schema: documentOf(
      { userId: ID, name: TEXT, scopes: LIST, secretHash: TEXT, request: REQUEST, createdAt: DATE },
      { expiresAt: DATE, lastUsedAt: DATE, revokedAt: DATE },
    ),
    indexes: [NEWEST_FIRST],
  },
  mails: {
    schema: documentOf(
      {
        _id: TEXT,
        kind: oneOf('reset_password', 'confirm_email'),
        mailId: ID,
        state: oneOf('PENDING', 'SENT'),
        inARow: NUMBER,
        nextAt: DATE,
        failures: COUNT,
        parked: FLAG,
        createdAt: DATE,
        lastModified: DATE,
      },
      { to: TEXT, userId: ID, expiresAt: DATE },
    ),
    indexes: [
      // What recovery looks for.
      { key: { createdAt: 1 }, name: 'recovery', partialFilterExpression: { state: 'PENDING' } },
      { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 },
    ],
  },
  passwordTries: { schema: documentOf({ _id: TEXT, lanes: LIST, version: COUNT }) },
  quotas: QUOTAS,
})
