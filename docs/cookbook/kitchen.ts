import { connect, newId, signUp, type SignedIn, type Holdfast } from '@holdfast/client'

/** What every recipe gets: an admin's client, and two users with 1,000.00 each. */
export interface Kitchen {
  admin: Holdfast
  ada: SignedIn
  bob: SignedIn
}

export async function openKitchen(url: string, token: string): Promise<Kitchen> {
  const admin = await connect(url, { token })
  const makeUser = async (name: string): Promise<SignedIn> => {
    const signedUp = await signUp(url, { name, email: `${name}-${newId()}@example.com`, password: 'correct horse' })
    await admin.depositFunds({ userId: signedUp.user.id, amount: 100_000 })
    return signedUp
  }
  return { admin, ada: await makeUser('ada'), bob: await makeUser('bob') }
}

export function closeKitchen({ admin, ada, bob }: Kitchen): void {
  for (const each of [admin, ada.holdfast, bob.holdfast]) each.close()
}
