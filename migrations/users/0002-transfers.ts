import { makes } from '../../platform/migrations/migration.js'
import { COUNT, DATE, documentOf, FLAG, ID, MONEY, oneOf, REQUEST, TEXT } from '../../platform/migrations/shapes.js'

const transfers = {
  schema: documentOf(
    {
      userId: ID,
      amount: { ...MONEY, minimum: 1 },
      state: oneOf('PENDING', 'COMMITTED', 'CANCELLED'),
      request: REQUEST,
      requestId: TEXT,
      createdAt: DATE,
      lastModified: DATE,
    },
    { reason: TEXT, failures: COUNT, parked: FLAG },
  ),
  indexes: [
    // What recovery looks for. By createdAt, which never changes: a transfer enters and leaves the index once.
    { key: { createdAt: 1 as const }, name: 'recovery', partialFilterExpression: { state: 'PENDING' } },
    // The audit compares the transfers of a page of users with their ledgers.
    { key: { userId: 1 as const }, name: 'by_user' },
  ],
}

export default makes({ deposits: transfers, withdrawals: transfers })
