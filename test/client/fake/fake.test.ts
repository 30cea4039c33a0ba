import test from 'ava'
import type { CallError, Entry, Following, Gap } from '../../../client/src/index.js'
import { createFake } from '../../../client/src/testing/index.js'
import { fakeBackend, realBackend, type Backend } from './backends.js'
import { BOOKINGS } from './cases/bookings.js'
import { TALK } from './cases/talk.js'
import { USERS } from './cases/users.js'
import { comparable, tell } from './run.js'

const STORIES = [...USERS, ...BOOKINGS, ...TALK]

test('the fake answers each case as the real server does', async (t) => {
  const cases = STORIES.flatMap(({ steps }) => steps.filter((step) => typeof step !== 'number'))
  t.log(`${cases.length} cases`)
  t.true(cases.length >= 150)
  const [real, fake] = [await realBackend(t), await fakeBackend()]
  for (const story of STORIES) t.deepEqual(await tell(fake, story), await tell(real, story), story.title)
})

test('what is followed comes from the fake as from the real server', async (t) => {
  const [real, fake] = [await followed(await realBackend(t, { tells: true })), await followed(await fakeBackend())]
  t.deepEqual(fake, real)
  t.deepEqual(
    fake.map((entry) => (entry as Entry).name),
    [
      'booking:updated',
      'booking:updated',
      'message:new',
      'message:delivered',
      'message:delivered',
      'booking:updated',
      'lobby:message',
      'lobby:removed',
      'removed_from_lobby',
      'lobby:deleted',
    ],
  )
})

/** One thing after the other happens, and each is awaited where it is told. */
async function followed(backend: Backend): Promise<unknown[]> {
  const { admin } = backend
  const makeUser = async (name: string) => {
    const { id } = await admin.createUser({ name, email: `${name}@example.com` })
    await admin.depositFunds({ userId: id, amount: 5000 })
    return { id, holdfast: await backend.as(id) }
  }
  const [ada, bob] = [await makeUser('ada'), await makeUser('bob')]
  const told: unknown[] = []
  const reader = (following: Following) => {
    const entries = following[Symbol.asyncIterator]()
    return async (): Promise<Entry | Gap | undefined> => {
      for (;;) {
        const { value, done } = (await entries.next()) as IteratorResult<Entry | Gap, undefined>
        // Who came and went is gathered for a while by the real one.
        if (done || value.name !== 'lobby:members') return value
      }
    }
  }
  const news = ada.holdfast.news()
  const letters = bob.holdfast.conversation(ada.id)
  await Promise.all([news.following, letters.following])
  const [nextNews, nextLetter] = [reader(news), reader(letters)]

  const car = await admin.createCar({ name: 'Kombi', pricePerHour: 1000 })
  const period = { from: new Date('2031-02-01T10:00Z'), to: new Date('2031-02-01T12:00Z') }
  const { id: bookingId } = await ada.holdfast.createBooking({ carId: car.id, ...period })
  told.push(await nextNews())
  await ada.holdfast.cancelBooking({ bookingId })
  told.push(await nextNews())
  const { id: messageId } = await ada.holdfast.sendMessage({ toUserId: bob.id, text: 'Hello' })
  told.push(await nextLetter(), await nextNews())
  await bob.holdfast.markRead({ messageId })
  told.push(await nextNews())
  const first = reader(ada.holdfast.news({ lastSeq: 0 }))
  told.push(await first())

  const times = { departureTime: new Date('2031-06-01T08:00Z'), arrivalTime: new Date('2031-06-01T12:00Z') }
  const train = await admin.createTrain({ route: 'A - B', ...times, availableSeats: 5, pricePerSeat: 1 })
  const { id: lobbyId } = await admin.createLobby({ trainId: train.id })
  const [adas, bobs] = [ada.holdfast.lobby(lobbyId), bob.holdfast.lobby(lobbyId)]
  await Promise.all([adas.following, bobs.following])
  const [nextOfAda, nextOfBob] = [reader(adas), reader(bobs)]
  await bob.holdfast.postToLobby({ lobbyId, text: 'Anybody?' })
  told.push(await nextOfAda())
  await nextOfBob()
  await admin.removeFromLobby({ lobbyId, userId: bob.id })
  told.push(await nextOfAda())
  await nextOfBob()
  told.push(await nextOfBob().catch(({ code, operation }: CallError) => ({ name: code, operation })))
  await admin.deleteLobby({ lobbyId })
  told.push(await nextOfAda())
  if ((await nextOfAda()) !== undefined) throw new Error('a lobby that is closed says nothing more')
  return comparable(told) as unknown[]
}

test('a test of an app: whoever books late is refused, once the fake clock has moved', async (t) => {
  const fake = createFake({ now: new Date('2031-05-01T00:00Z') })
  const { holdfast, user } = await fake.signUp({ email: 'ada@example.com', password: 'correct horse', name: 'Ada' })
  await fake.admin.depositFunds({ userId: user.id, amount: 10_000 })
  const car = await fake.admin.createCar({ name: 'Kombi', pricePerHour: 1250 })
  const period = { from: new Date('2031-05-02T09:00Z'), to: new Date('2031-05-02T11:00Z') }
  const booking = await holdfast.createBooking({ carId: car.id, ...period })
  t.like(booking, { state: 'COMMITTED', cost: 2500, standing: 'active' })
  booking.cost = 0
  t.is((await holdfast.getBooking({ bookingId: booking.id })).cost, 2500)

  fake.advance(34 * 3_600_000)
  t.is(fake.now().toISOString(), '2031-05-02T10:00:00.000Z')
  await t.throwsAsync(holdfast.cancelBooking({ bookingId: booking.id }), { message: /Only an admin/ })
  await fake.admin.update({ carId: car.id }, ({ pricePerHour }) => ({ pricePerHour: pricePerHour + 50 }))
  t.is((await holdfast.getCar({ carId: car.id })).pricePerHour, 1300)

  const again = await fake.signIn({ email: 'ada@example.com', password: 'correct horse' })
  t.is(again.user.balance, 7500)
  const waiting = again.holdfast.news()[Symbol.asyncIterator]().next()
  again.holdfast.close()
  await t.throwsAsync(waiting, { message: /closed/ })
  await t.throwsAsync(again.holdfast.getUser({ userId: user.id }), { message: /closed/ })
  await t.throwsAsync((await fake.connect()).news().following, { message: /signed in/ })
  await t.throwsAsync(holdfast.createTicket({ title: 'A concert', price: 1 }), { message: /has no operation/ })
})
