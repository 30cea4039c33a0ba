import { newId } from '@holdfast/client'
import type { Kitchen } from './kitchen.js'

/** Top up a balance when your bank says that money came in: your own id for it makes it count once. */
export default async function ({ admin, ada }: Kitchen): Promise<void> {
  const userId = ada.user.id
  // Store it with the bank's transaction before you send it.
  const depositId = newId()
  const first = await admin.depositFunds({ depositId, userId, amount: 5000 })
  const again = await admin.depositFunds({ depositId, userId, amount: 5000 })
  console.log(again.balance - first.balance) // 0

  const { items } = await ada.holdfast.listLedger({ userId })
  const entry = items.find(({ causeId }) => causeId === depositId)
  console.log(entry?.cause, entry?.change) // deposit 5000
}
