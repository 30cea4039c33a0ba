import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react'
import { CallError } from '../errors.js'
import type { Data, Holdfast, Input, OperationName } from '../connect.js'
import type { Status } from '../connection.js'
import type { LobbyEntry, UserEntry } from '../following.js'
import type { Gap } from '../reader.js'

const Client = createContext<Holdfast | null>(null)

/** Gives the components below it a client. */
export const HoldfastProvider = ({ client, children }: { client: Holdfast; children?: ReactNode }) =>
  createElement(Client.Provider, { value: client }, children)

function useClient(): Holdfast {
  const holdfast = useContext(Client)
  if (!holdfast) throw new Error('useHoldfast is used outside of a HoldfastProvider')
  return holdfast
}

/** The client, and how its connection is. */
export function useHoldfast(): { holdfast: Holdfast; status: Status } {
  const holdfast = useClient()
  const status = useSyncExternalStore(
    holdfast.onStatus,
    () => holdfast.status,
    () => holdfast.status,
  )
  return { holdfast, status }
}

export interface QueryResult<N extends OperationName> {
  /** Of this input; undefined until it is there. */
  data: Data<N> | undefined
  error: CallError | undefined
  isLoading: boolean
  /** Asks again; what is there stays until the answer comes. */
  refetch(this: void): void
}

interface Answer<N extends OperationName> {
  key: string
  data?: Data<N>
  error?: CallError
}

/**
 * Asks when the component appears and when the input changes, by what it says. What another input was answered is never
 * shown, however late it comes. `skip` asks nothing.
 */
export function useQuery<N extends OperationName>(
  operation: N,
  input: Input<N>,
  { skip = false }: { skip?: boolean } = {},
): QueryResult<N> {
  const holdfast = useClient()
  const key = JSON.stringify([operation, input])
  const [answer, setAnswer] = useState<Answer<N>>()
  const [asked, setAsked] = useState(0)
  const latest = useRef(input)
  latest.current = input

  useEffect(() => {
    if (skip) return
    const leaving = new AbortController()
    asError<N>(holdfast.call(operation, latest.current, { signal: leaving.signal })).then(
      (outcome) => leaving.signal.aborted || setAnswer({ key, ...outcome }),
      (error: unknown) => {
        if (!leaving.signal.aborted) throw error
      },
    )
    return () => leaving.abort()
  }, [holdfast, key, skip, asked])

  const shown = !skip && answer?.key === key ? answer : undefined
  return {
    data: shown?.data,
    error: shown?.error,
    isLoading: !skip && shown === undefined,
    refetch: useCallback(() => setAsked((times) => times + 1), []),
  }
}

export interface Mutation<N extends OperationName> {
  /** Calls the operation. Answers what it answers, and throws as it does. Always the same function. */
  run(this: void, input: Input<N>): Promise<Data<N>>
  /** Of the latest run. */
  data: Data<N> | undefined
  error: CallError | undefined
  isRunning: boolean
}

/** An operation that changes something, and how its latest run went. */
export function useMutation<N extends OperationName>(operation: N): Mutation<N> {
  const holdfast = useClient()
  const [state, setState] = useState<Omit<Mutation<N>, 'run'>>(NOT_RUN)
  const runs = useRef(0)

  const run = useCallback(
    async (input: Input<N>) => {
      const own = ++runs.current
      setState({ ...NOT_RUN, isRunning: true })
      const calling = holdfast.call(operation, input)
      const outcome = await asError<N>(calling)
      if (own === runs.current) setState({ ...NOT_RUN, ...outcome })
      return calling
    },
    [holdfast, operation],
  )
  return { ...state, run }
}
const NOT_RUN = { data: undefined, error: undefined, isRunning: false }

/** Errors that are none of a call's are the program's own: they go on. */
async function asError<N extends OperationName>(
  calling: Promise<Data<N>>,
): Promise<{ data: Data<N> } | { error: CallError }> {
  try {
    return { data: await calling }
  } catch (error) {
    if (error instanceof CallError) return { error: error as CallError }
    throw error
  }
}

export interface Lobby {
  /** What was told since the component appeared, oldest first: the newest `keep`. */
  entries: readonly (LobbyEntry | Gap)[]
  /** Whether nothing from here on is missed. */
  isFollowing: boolean
  /** Why it ended. */
  error: CallError | undefined
  /** Says something to all in the lobby. Always the same function, for the same lobby. */
  post(this: void, text: string): Promise<void>
}

/** Is in a lobby for as long as the component is there. */
export function useLobby(lobbyId: string, { skip = false, keep = 200 }: { skip?: boolean; keep?: number } = {}): Lobby {
  const holdfast = useClient()
  const [state, setState] = useState<Omit<Lobby, 'post'>>(NOBODY)

  useEffect(() => {
    setState(NOBODY)
    if (skip) return
    const following = holdfast.lobby(lobbyId)
    let left = false
    const change = (part: (before: Omit<Lobby, 'post'>) => Partial<Lobby>): void => {
      if (!left) setState((before) => ({ ...before, ...part(before) }))
    }
    following.following.then(
      () => change(() => ({ isFollowing: true })),
      () => {},
    )
    void (async () => {
      for await (const entry of following) change(({ entries }) => ({ entries: [...entries, entry].slice(-keep) }))
      change(() => ({ isFollowing: false }))
    })().catch((error: unknown) => change(() => ({ isFollowing: false, error: error as CallError })))
    return () => {
      left = true
      following.end()
    }
  }, [holdfast, lobbyId, skip, keep])

  const post = useCallback(
    async (text: string) => void (await holdfast.postToLobby({ lobbyId, text })),
    [holdfast, lobbyId],
  )
  return useMemo(() => ({ ...state, post }), [state, post])
}
const NOBODY = { entries: [], isFollowing: false, error: undefined }

/** Hears what the user is told, for as long as the component is there: always by the listener of the latest render. */
export function useNews(listener: (entry: UserEntry | Gap) => void, { skip = false }: { skip?: boolean } = {}): void {
  const holdfast = useClient()
  const latest = useRef(listener)
  latest.current = listener

  useEffect(() => {
    if (skip) return
    const following = holdfast.news()
    void (async () => {
      for await (const entry of following) latest.current(entry)
    })().catch((error: unknown) => {
      // Then the status says that nobody is signed in any more.
      if (!(error instanceof CallError)) throw error
    })
    return () => following.end()
  }, [holdfast, skip])
}
