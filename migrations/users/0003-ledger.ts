import { makes } from '../../platform/migrations/migration.js'
import { CHANGE, DATE, documentOf, ID, matching, MONEY, NUMBER, oneOf } from '../../platform/migrations/shapes.js'

export default makes({
  ledger: {
    schema: documentOf({
      _id: matching('^[0-9a-f]{24}:[1-9][0-9]*$'),
      userId: ID,
      number: NUMBER,
      at: DATE,
      cause: oneOf(
        'deposit',
        'withdrawal',
        'booking',
        'booking_undone',
        'reversal',
        'payment',
        'payment_undone',
        'refund',
        'receipt',
      ),
      causeId: ID,
      change: CHANGE,
      balanceAfter: MONEY,
    }),
    // listLedger reads it backwards.
    indexes: [{ key: { userId: 1, number: 1 }, name: 'one_entry_per_number', unique: true }],
  },
})
