import type { Kitchen } from './kitchen.js'

/** Send a message, and see it arrive. */
export default async function ({ ada, bob }: Kitchen): Promise<void> {
  const bobs = bob.holdfast.conversation(ada.user.id)
  const adas = ada.holdfast.conversation(bob.user.id)
  await Promise.all([bobs.following, adas.following])

  await ada.holdfast.sendMessage({ toUserId: bob.user.id, text: 'Is the piano in tune?' })
  for await (const entry of bobs) {
    if (entry.name !== 'message:new') continue
    console.log(entry.text) // Is the piano in tune?
    await bob.holdfast.markRead({ messageId: entry.messageId })
    break
  }
  for await (const entry of adas) {
    if (entry.name === 'message:delivered' && entry.state === 'read') break
  }
  console.log('read') // read
}
