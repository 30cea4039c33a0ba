import express, { type Request, type Response, type Router } from 'express'
import { users } from '../functions/users/contract.js'
import { Refusal } from '../platform/contract/errors.js'
import { network } from '../platform/http/network.js'
import type { System } from '../platform/runtime/system.js'
import { callerOf, signToken, tokenStateOf, verifyToken } from '../platform/runtime/tokens.js'

/**
 * Sign-ins in a minute, by where they come from, so that whoever guesses locks out nobody else: for one e-mail address
 * someone guesses its password, for all they keep argon2 busy.
 */
const ATTEMPTS_PER_MINUTE = { oneEmail: 5, all: 30 }
/** From wherever: what argon2 works on at once. */
const MAX_SIGNING_IN = 4

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  // no-referrer would make browsers send "Origin: null" with the form.
  'Referrer-Policy': 'same-origin',
}

/**
 * Lets admins through and nobody else. /sign-in takes an admin's e-mail address and password and leaves the token in a
 * cookie; every request is checked against the user's present role, password and session. Opening /sign-in again signs out.
 */
export function requireAdmin(system: System): Router {
  // A host's ports share their cookies: two systems side by side need two names.
  const cookie = `holdfast_jobs_${system.config.jobsPort}`
  const mayTry = limiter(system)
  let signingIn = 0
  const router = express.Router()

  router.use((request, response, next) => {
    setHeaders(response)
    if (comesFromElsewhere(request)) response.status(403).type('text').send('Refused: not from this page.\n')
    else next()
  })
  router.get('/sign-in', async (request, response) => {
    await end(readCookie(request, cookie))
    response.clearCookie(cookie, COOKIE).send(page())
  })
  router.get('/sign-in.css', (_request, response) => {
    response.type('css').send(STYLE)
  })
  router.post('/sign-in', express.urlencoded({ extended: false, limit: '4kb' }), async (request, response) => {
    const { email, password } = (request.body ?? {}) as Record<string, unknown>
    if (typeof email !== 'string' || typeof password !== 'string')
      return refuse(response, 400, 'E-mail address and password, please.')
    if (!mayTry(request.socket.remoteAddress ?? '', email) || signingIn >= MAX_SIGNING_IN)
      return refuse(response, 429, 'Too many attempts: wait a minute.')
    signingIn++
    try {
      const address = network(request.socket.remoteAddress ?? '')
      const { user, token } = await call(users.signIn, { email, password }, { address })
      if (user.role !== 'admin') return refuse(response, 403, 'The jobs are for admins.')
      response.cookie(cookie, await lasting(token), COOKIE).redirect(303, '/')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'unauthenticated' || error.code === 'invalid_input')
        return refuse(response, 401, 'E-mail address or password is wrong.')
      if (error.code === 'rate_limited') return refuse(response, 429, 'Too many attempts: wait a minute.')
      refuse(response, 503, 'The users domain does not answer. Try again.')
    } finally {
      signingIn--
    }
  })
  router.use(async (request, response, next) => {
    const status = await statusOf(readCookie(request, cookie))
    if (status === 200) next()
    else if (status === 401 && request.method === 'GET' && !request.path.startsWith('/api'))
      response.redirect(303, '/sign-in')
    else response.status(status).json({ error: MEANING[status] })
  })
  return router

  /** What was copied of the cookie ends with it. */
  async function end(token: string | undefined): Promise<void> {
    if (!token) return
    const claims = await verifyToken(token, system.config, system.now()).catch(() => undefined)
    if (!claims) return
    const caller = callerOf(claims, claims.role)
    await system.call(users.signOut, {}, { caller, requestId: system.newId() }).catch((error: unknown) => {
      system.log.warn({ err: error, userId: claims.userId }, 'a session of agendash could not be ended')
    })
  }

  /** Pages refresh nothing: their token works as long as its session, for TOKEN_TTL_MS at most. */
  async function lasting(token: string): Promise<string> {
    const claims = await verifyToken(token, system.config, system.now())
    return signToken(claims, system.config, system.now())
  }

  async function statusOf(token: string | undefined): Promise<200 | 401 | 403 | 503> {
    if (!token) return 401
    try {
      const claims = await verifyToken(token, system.config, system.now())
      const { roles } = await call(users.authenticate, { tokens: [tokenStateOf(claims)] })
      const role = roles[0] ?? null
      return role === 'admin' ? 200 : role ? 403 : 401
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return error.code === 'unauthenticated' ? 401 : 503
    }
  }

  function call<Op extends typeof users.signIn | typeof users.authenticate>(
    operation: Op,
    input: Parameters<typeof system.call<Op>>[1],
    from: { address?: string } = {},
  ) {
    return system.call(operation, input, { caller: null, requestId: system.newId(), ...from })
  }
}

const COOKIE = { httpOnly: true, sameSite: 'strict', path: '/' } as const
const MEANING = { 401: 'Sign in first.', 403: 'The jobs are for admins.', 503: 'The users domain does not answer.' }

/** agendash sets a laxer policy of its own on each answer: ours stands. */
function setHeaders(response: Response): void {
  response.set(HEADERS)
  const setHeader = response.setHeader.bind(response)
  response.setHeader = (name, value) => (name in HEADERS ? response : setHeader(name, value))
}

/**
 * A page of another origin, or a name that someone made point here (DNS rebinding). SameSite alone does not do: to
 * browsers all ports of a host are one site.
 */
function comesFromElsewhere(request: Request): boolean {
  const { host = '', origin } = request.headers
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return true
  return !['GET', 'HEAD'].includes(request.method) && origin !== undefined && origin !== `http://${host}`
}

function readCookie({ headers }: Request, name: string): string | undefined {
  const found = headers.cookie
    ?.split(';')
    .map((each) => each.trim())
    .find((each) => each.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

/** Counts attempts, not failures: many at once must not slip through before the first one failed. */
function limiter(system: System): (address: string, email: string) => boolean {
  let minute = 0
  const tries = new Map<string, number>()
  const count = (key: string): number => {
    tries.set(key, (tries.get(key) ?? 0) + 1)
    return tries.get(key) ?? 0
  }
  return (address, email) => {
    if (system.config.rateLimitPerSecond === 0) return true
    const now = Math.floor(system.now().getTime() / 60_000)
    if (now !== minute) {
      minute = now
      tries.clear()
    }
    const from = network(address)
    // What is over the limit of its address is not counted by e-mail: it would fill the memory.
    if (count(from) > ATTEMPTS_PER_MINUTE.all) return false
    return count(`${from} ${email.trim().toLowerCase()}`) <= ATTEMPTS_PER_MINUTE.oneEmail
  }
}

const refuse = (response: Response, status: number, message: string): void => {
  response.status(status).send(page(message))
}

/** Nothing that a client sent goes into it. */
const page = (message = ''): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast jobs: sign in</title>
<link rel="stylesheet" href="/sign-in.css">
<p>For admins. The first one is made on the server: <code>npm run call -- createUser '{...}'</code>, with what
<code>npm run call -- --input createUser</code> lists.</p>
<form method="post" action="/sign-in">
  <h1>Holdfast jobs</h1>
  <label>E-mail address <input name="email" type="email" autocomplete="username" required autofocus></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p role="alert">${message}</p>
  <button>Sign in</button>
</form>
`

const STYLE = `body { font: 16px/1.4 system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; background: #f4f5f7; color: #1c2330 }
form { display: grid; gap: 1rem; width: 20rem; padding: 2rem; background: #fff; border: 1px solid #d7dbe0; border-radius: 8px }
h1 { font-size: 1.25rem; margin: 0 }
label { display: grid; gap: .25rem }
input, button { font: inherit; padding: .5rem; border: 1px solid #aab2bd; border-radius: 4px }
button { background: #1f5fbf; border-color: #1f5fbf; color: #fff; cursor: pointer }
p { margin: 0; min-height: 1.4em; color: #a3161c }
`
