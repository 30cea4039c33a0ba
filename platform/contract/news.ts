import { z } from 'zod'

/**
 * News for sockets, as clients hear it: `socket.on('order:updated', ({ seq, at, ...data }) => ...)`. `toUser`: what comes
 * to the user whom it concerns; `toLobby`: what comes to everybody in the lobby, with its `lobbyId`.
 */
export interface NewsSpec<U extends z.ZodObject = z.ZodObject, L extends z.ZodObject = z.ZodObject> {
  /** When it is told, and to whom: a sentence for the docs. */
  when: string
  toUser?: U
  toLobby?: L
}

/** What a domain tells sockets, by name. Its contract exports it as `news`. */
export const defineNews = <const S extends Record<`${string}:${string}`, NewsSpec>>(specs: S): S => specs

type Reader = 'toUser' | 'toLobby'

/** One piece of news, as the contract has it. */
export type News<S, To extends Reader = 'toUser'> = {
  [N in keyof S & string]: S[N] extends Record<To, infer P extends z.ZodType> ? { name: N; data: z.input<P> } : never
}[keyof S & string]

/** What the gateway itself tells a socket, outside of any feed. */
export const GATEWAY_NEWS = {
  operations: {
    when: 'After each connect, to every socket: the operations of this server, and which of them are safe to send again.',
    data: z.record(z.string(), z.object({ idempotent: z.boolean(), newId: z.string().optional() })),
  },
  position: {
    when: "Where the user's feed stands: after each connect, and where something was told in a lobby instead.",
    data: z.object({ seq: z.int() }),
  },
  'session:ended': {
    when: 'The token has expired, or works no more; the connection ends.',
    data: z.object({
      code: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
      retryable: z.boolean(),
      requestId: z.string(),
    }),
  },
}
