import test, { type ExecutionContext } from 'ava'
import { build } from 'esbuild'
import { Window } from 'happy-dom'
import { rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { act, createElement, type FC } from 'react'
import { createRoot, type Container, type Root } from 'react-dom/client'
import type { Holdfast } from '../../client/src/index.js'
import type * as hooks from '../../client/src/react/index.js'
import {
  HoldfastProvider,
  useHoldfast,
  useLobby,
  useMutation,
  useNews,
  useQuery,
} from '../../client/src/react/index.js'
import { createFake } from '../../client/src/testing/index.js'
import { until } from '../../proof/support/until.js'

const window = new Window()
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true })
const newElement = () => window.document.createElement('div') as unknown as Container & { textContent: string | null }

/** Renders a component below a provider, and again with other props. */
async function rendered<P extends object>(t: ExecutionContext, client: Holdfast, component: FC<P>, props: NoInfer<P>) {
  const element = newElement()
  const root: Root = createRoot(element)
  const render = (now: NoInfer<P>): Promise<void> =>
    act(async () => {
      root.render(createElement(HoldfastProvider, { client }, createElement(component, now)))
      await Promise.resolve()
    })
  await render(props)
  t.teardown(() => act(() => root.unmount()))
  return {
    render,
    text: () => element.textContent ?? '',
    /** Until it shows that. */
    shows: (text: string) =>
      until(
        async () => {
          await act(() => Promise.resolve())
          return element.textContent === text
        },
        { what: `"${text}"` },
      ),
    unmount: () => act(() => root.unmount()),
  }
}

const ADA = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }

// React gathers what is to be rendered in one place.
test.serial(
  'useQuery shows what its present input is answered, and asks again on demand or when that changes',
  async (t) => {
    const { admin } = createFake()
    const [beetle, kombi] = [
      await admin.createCar({ name: 'Beetle', pricePerHour: 100 }),
      await admin.createCar({ name: 'Kombi', pricePerHour: 200 }),
    ]
    let refetch = (): void => {}
    const Car: FC<{ carId: string; skip?: boolean }> = ({ carId, skip = false }) => {
      const car = useQuery('getCar', { carId }, { skip })
      refetch = car.refetch
      return createElement('p', null, car.error?.code ?? car.data?.name ?? (car.isLoading ? 'loading' : 'nothing'))
    }
    const page = await rendered(t, admin, Car, { carId: beetle.id, skip: true })
    t.is(page.text(), 'nothing')
    await page.render({ carId: beetle.id })
    await page.shows('Beetle')
    await page.render({ carId: kombi.id })
    t.not(page.text(), 'Beetle', 'what another input was answered is not shown')
    await page.shows('Kombi')
    await admin.update({ carId: kombi.id }, () => ({ name: 'Bulli' }))
    await act(() => Promise.resolve(refetch()))
    await page.shows('Bulli')
    await page.render({ carId: '0'.repeat(24) })
    await page.shows('car_not_found')
  },
)

test.serial('useMutation is one function, and tells how its latest run went', async (t) => {
  const { admin } = createFake()
  const runs = new Set<unknown>()
  let run: (name: string) => Promise<unknown> = () => Promise.reject(new Error())
  const Add: FC = () => {
    const add = useMutation('createCar')
    runs.add(add.run)
    run = (name) => add.run({ name, pricePerHour: 100 })
    return createElement('p', null, add.isRunning ? 'running' : (add.error?.code ?? add.data?.name ?? 'not run'))
  }
  const page = await rendered(t, admin, Add, {})
  t.is(page.text(), 'not run')
  await act(() => run('Beetle'))
  await page.shows('Beetle')
  await act(() => t.throwsAsync(run(''), { message: /./ }))
  await page.shows('invalid_input')
  t.is(runs.size, 1)
})

test.serial('useLobby shows what is told while the component is there, and posts', async (t) => {
  const fake = createFake()
  const { holdfast } = await fake.signUp(ADA)
  const { id: trainId } = await fake.admin.createTrain({
    ...{ route: 'A to B', availableSeats: 2, pricePerSeat: 100 },
    ...{ departureTime: '2031-02-01T09:00:00Z', arrivalTime: '2031-02-01T11:00:00Z' },
  })
  const lobbies = [await fake.admin.createLobby({ trainId }), await fake.admin.createLobby({ trainId })]
  let post: (text: string) => Promise<void> = () => Promise.reject(new Error())
  const Lobby: FC<{ lobbyId: string }> = ({ lobbyId }) => {
    const lobby = useLobby(lobbyId, { keep: 2 })
    post = lobby.post
    const texts = lobby.entries.map((entry) => (entry.name === 'lobby:message' ? entry.text : entry.name))
    return createElement('p', null, lobby.isFollowing ? texts.filter((each) => !each.includes(':')).join() : '...')
  }
  const page = await rendered(t, holdfast, Lobby, { lobbyId: lobbies[0]?.id ?? '' })
  await page.shows('')
  for (const text of ['one', 'two', 'three']) await act(() => post(text))
  await page.shows('two,three')
  await page.render({ lobbyId: lobbies[1]?.id ?? '' })
  await page.shows('')
  await act(() => post('other'))
  await page.shows('other')
  page.unmount()
  await t.throwsAsync(post('too late'), { code: 'not_in_lobby' })
})

test.serial(
  'useNews tells the listener of the latest render; useHoldfast has the status, and a provider above it',
  async (t) => {
    const fake = createFake()
    const { holdfast, user } = await fake.signUp(ADA)
    const heard: string[] = []
    const News: FC<{ by: string }> = ({ by }) => {
      const { status } = useHoldfast()
      useNews((entry) => void heard.push(`${by} ${entry.name}`))
      return createElement('p', null, status.state)
    }
    const page = await rendered(t, holdfast, News, { by: 'first' })
    await page.shows('online')
    await page.render({ by: 'second' })
    await fake.admin.sendMessage({ toUserId: user.id, text: 'Hello' })
    await until(() => heard.length > 0)
    t.deepEqual(heard, ['second message:new'])
    page.unmount()
    await fake.admin.sendMessage({ toUserId: user.id, text: 'Again' })
    t.is(heard.length, 1)
    const bare: FC = () => createElement('p', null, useHoldfast().status.state)
    t.throws(() => act(() => createRoot(newElement()).render(createElement(bare))), {
      message: 'useHoldfast is used outside of a HoldfastProvider',
    })
  },
)

test.serial('it works with Preact, where a bundler puts that in the place of React', async (t) => {
  const file = fileURLToPath(new URL(`../../node_modules/.cache/preact-${process.pid}.mjs`, import.meta.url))
  const contents = `
    export * from './client/src/react/index.js'
    export { createElement, render } from 'preact'`
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
    ...{ bundle: true, format: 'esm', outfile: file, alias: { react: 'preact/compat' } },
  })
  t.teardown(() => rm(file))
  const preact = (await import(pathToFileURL(file).href)) as typeof hooks & {
    createElement(type: unknown, props: object | null, ...children: unknown[]): unknown
    render(what: unknown, where: object): void
  }
  const { admin } = createFake()
  const { id: carId } = await admin.createCar({ name: 'Beetle', pricePerHour: 100 })
  const Car = (): unknown =>
    preact.createElement(
      'p',
      null,
      preact.useQuery('getCar', { carId }).data?.name ?? preact.useHoldfast().status.state,
    )
  const element = newElement()
  preact.render(
    preact.createElement(preact.HoldfastProvider, { client: admin }, preact.createElement(Car, null)),
    element,
  )
  t.is(element.textContent, 'online')
  await until(() => element.textContent === 'Beetle')
  preact.render(null, element)
  t.is(element.textContent, '')
})
