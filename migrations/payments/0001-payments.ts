import { makes } from '../../platform/migrations/migration.js'
import {
  documentOf,
  DRIVEN,
  ID,
  MAYBE_DRIVEN,
  MONEY,
  objectOf,
  RECOVERY,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  payments: {
    schema: documentOf(
      { amount: MONEY, cause: objectOf({ type: TEXT, id: ID }), ...DRIVEN },
      { payerId: ID, payeeId: ID, ...MAYBE_DRIVEN },
    ),
    indexes: [
      // The protocol relies on it: a second reversal fails at its insert.
      {
        key: { reverses: 1 },
        name: 'one_reversal_per_payment',
        unique: true,
        partialFilterExpression: { reverses: { $exists: true } },
      },
      RECOVERY,
      // What the audit asks for.
      { key: { payerId: 1 }, name: 'by_payer', partialFilterExpression: { payerId: { $exists: true } } },
      { key: { payeeId: 1 }, name: 'by_payee', partialFilterExpression: { payeeId: { $exists: true } } },
    ],
  },
})
