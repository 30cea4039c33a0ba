import { events } from '../../../functions/events/contract.js'
import { messages } from '../../../functions/messages/contract.js'
import { messageBoxProjection } from '../../../functions/messages/messageBox.projection.js'
import { platform } from '../../../functions/platform/contract.js'
import { users } from '../../../functions/users/contract.js'
import { verifyToken } from '../../../platform/runtime/tokens.js'
import { mailOf } from '../../support/mails.js'
import type { Person, Stage } from './recorder.js'

const PASSWORD = 'correct horse'

/** Accounts, money, messages; answers whoever the other scenes are about. */
export async function people(stage: Stage): Promise<{ ada: Person; bob: Person }> {
  const { ask } = stage
  const signedUp = await ask(users.signUp, { email: 'ada@example.com', password: PASSWORD, name: 'Ada' }, null)
  const ada: Person = { name: 'Ada', userId: signedUp.user.id, role: 'user' }
  await sessions(stage, ada)
  await apiKeys(stage, ada)
  const bob: Person = {
    name: 'Bob',
    userId: (await ask(users.createUser, { name: 'Bob', email: 'bob@example.com' })).id,
    role: 'user',
  }
  await ask(users.depositFunds, { userId: ada.userId, amount: 100_000 })
  await ask(users.withdrawFunds, { userId: ada.userId, amount: 20_000 })
  await ask(users.depositFunds, { userId: bob.userId, amount: 50_000 })
  const { version } = await ask(users.getUser, { userId: ada.userId }, ada)
  await ask(users.updateUser, { userId: ada.userId, version, set: { name: 'Ada Lovelace' } }, ada)
  await ask(users.listUsers, { query: 'Ada' })
  await ask(users.listLedger, { userId: ada.userId }, ada)
  await ask(users.recoverTransfers, {})
  await conversation(stage, ada, bob)
  await ask(platform.getStatus, { domain: 'trains' }, null)
  await ask(events.listDeadEvents, {})
  await stage.refused(events.redriveEvent, { eventId: stage.store.newId() })
  return { ada, bob }
}

async function sessions(stage: Stage, ada: Person): Promise<void> {
  const { ask, store } = stage
  const { userId } = ada
  const signIn = async (password: string, device: string) => {
    const { token, refreshToken } = await ask(users.signIn, { email: 'ada@example.com', password, device }, null)
    const { sessionId = '' } = await verifyToken(token, store.config, store.now())
    return { refreshToken, sessionId, holder: { ...ada, sessionId } }
  }
  const phone = await signIn(PASSWORD, 'phone')
  await ask(users.refreshSession, { refreshToken: phone.refreshToken }, null)
  const laptop = await signIn(PASSWORD, 'laptop')
  await ask(users.listSessions, { userId }, laptop.holder)
  await ask(users.revokeSession, { sessionId: phone.sessionId }, laptop.holder)
  await ask(users.signOut, {}, laptop.holder)
  await ask(users.changePassword, { oldPassword: PASSWORD, newPassword: 'a better horse' }, ada)
  await ask(users.signOutEverywhere, { userId }, ada)
  await ask(users.setPassword, { userId, newPassword: 'the best horse' })
  await mails(stage, ada)
}

async function mails({ ask, store }: Stage, ada: Person): Promise<void> {
  await ask(users.requestPasswordReset, { email: 'ada@example.com' }, null)
  const { token: resetting } = await mailOf(store, 1)
  await ask(users.resetPassword, { token: resetting, newPassword: PASSWORD }, null)
  await ask(users.requestEmailChange, { email: 'ada.lovelace@example.com', password: PASSWORD }, ada)
  const { token: confirming } = await mailOf(store, 2)
  await ask(users.confirmEmail, { token: confirming }, null)
  await ask(users.recoverMails, {})
}

async function apiKeys({ ask }: Stage, { userId }: Person): Promise<void> {
  const scopes = ['bookings:write', 'users:read'] as const
  const { apiKey } = await ask(users.createApiKey, { name: 'Our shop', userId, scopes: [...scopes] })
  await ask(users.listApiKeys, {})
  await ask(users.revokeApiKey, { apiKeyId: apiKey.id })
}

async function conversation({ ask, store }: Stage, ada: Person, bob: Person): Promise<void> {
  const view = async (): Promise<void> => {
    while ((await store.use(messageBoxProjection).advance()) > 0);
  }
  const message = await ask(messages.sendMessage, { toUserId: bob.userId, text: 'Is the piano in tune?' }, ada)
  await ask(messages.acknowledgeMessage, { messageId: message.id }, bob)
  await ask(messages.markRead, { messageId: message.id }, bob)
  await view()
  await ask(messages.listConversations, {}, bob)
  await ask(messages.getConversation, { withUserId: ada.userId }, bob)
  await ask(messages.blockUser, { userId: ada.userId }, bob)
  await ask(messages.unblockUser, { userId: ada.userId }, bob)
}
