import type { ExecutionContext } from 'ava'
import { events } from '../../functions/events/contract.js'
import { expirations } from '../../functions/expirations/contract.js'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { tickets } from '../../functions/tickets/contract.js'
import { users } from '../../functions/users/contract.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import { EVENTS } from '../../platform/events/events.js'
import type { Caller } from '../../platform/contract/caller.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { createTestSystem, type TestSystem, type TestSystemOptions } from '../support/system.js'
import { until } from '../../proof/support/until.js'

export const PRICE = 1500

export interface Store extends TestSystem {
  /** Delivers events from now on. */
  dispatch(): Promise<void>
  /** Waits until every event was delivered; what failed comes again at once. */
  settle(): Promise<void>
  sell(options?: { seller?: Caller; price?: number }): Promise<{ ticketId: string; seller: Caller }>
  order(buyer: Caller, ticketId: string): Promise<string>
  pay(buyer: Caller, orderId: string, chargeId?: string): Promise<string>
  /** Rings the timer of an order. */
  expire(orderId: string): Promise<void>
  balanceOf(user: Caller): Promise<number>
  orderOf(orderId: string): Promise<string>
  chargeOf(chargeId: string): Promise<string>
  lockOf(ticketId: string): Promise<string | undefined>
}

/** A system whose tickets are sold and paid in this process. */
export async function createStore(
  t: ExecutionContext,
  options: Pick<TestSystemOptions, 'env' | 'now'> = {},
): Promise<Store> {
  const system = await createTestSystem(t, options)
  const store: Store = Object.assign(system, {
    async dispatch() {
      const dispatching = await startDispatching(system, (await loadContracts()).values())
      t.teardown(() => dispatching.stop())
    },
    async settle() {
      const stored = system.databases.connection('orders').collection(EVENTS)
      await until(
        async () => {
          const left = await stored.countDocuments()
          // Retries are due by the clock, which stands still.
          if (left > 0) system.clock.advance(1000)
          if (left > 0) await system.run(events.retryEvents, {}, null)
          return left === 0
        },
        { timeoutMs: 60_000, what: 'every event to be delivered' },
      )
    },
    async sell({ seller, price = PRICE }: { seller?: Caller; price?: number } = {}) {
      const by = seller ?? (await system.makeUser())
      const { id } = await system.run(tickets.createTicket, { title: 'A concert', price }, by)
      return { ticketId: id, seller: by }
    },
    order: async (buyer: Caller, ticketId: string) => (await system.run(orders.createOrder, { ticketId }, buyer)).id,
    pay: async (buyer: Caller, orderId: string, chargeId = system.newId()) =>
      (await system.run(payments.createCharge, { chargeId, orderId, method: 'balance' }, buyer)).id,
    async expire(orderId: string) {
      await until(async () => (await system.run(expirations.completeExpiration, { orderId }, null)).completed)
    },
    balanceOf: async ({ userId }: Caller) => (await system.run(users.getUser, { userId })).balance,
    async orderOf(orderId: string) {
      const { state, reason } = await system.run(orders.getOrder, { orderId })
      return [state, reason].filter(Boolean).join(': ')
    },
    async chargeOf(chargeId: string) {
      const { state, reason } = await system.run(payments.getCharge, { chargeId })
      return [state, reason].filter(Boolean).join(': ')
    },
    lockOf: async (ticketId: string) => (await system.run(tickets.getTicket, { ticketId })).orderId,
  })
  return store
}
