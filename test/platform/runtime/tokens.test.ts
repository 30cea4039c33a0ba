import test from 'ava'
import { SignJWT, UnsecuredJWT } from 'jose'
import { Refusal } from '../../../platform/contract/errors.js'
import { signToken, verifyToken } from '../../../platform/runtime/tokens.js'

const config = { authSecret: 'a secret of tests, long enough to sign', tokenTtlMs: 60_000 }
const now = new Date('2031-01-01T00:00:00.000Z')
const subject = { userId: 'a'.repeat(24), role: 'user', tokenVersion: 3 } as const
const key = new TextEncoder().encode(config.authSecret)

/** A good token, but for what is changed. */
const token = ({
  alg = 'HS256',
  secret = key,
  ...claims
}: {
  alg?: string
  secret?: Uint8Array
  [claim: string]: unknown
}) =>
  new SignJWT({
    iss: 'holdfast',
    aud: 'holdfast',
    sub: subject.userId,
    role: 'user',
    tokenVersion: 3,
    iat: now.getTime() / 1000,
    exp: now.getTime() / 1000 + 60,
    ...claims,
  })
    .setProtectedHeader({ alg })
    .sign(secret)

test('a token says who it stands for, until it expires', async (t) => {
  const signed = await signToken(subject, config, now)
  const expiresAt = new Date(now.getTime() + config.tokenTtlMs)
  t.deepEqual(await verifyToken(signed, config, now), { ...subject, expiresAt })
  t.truthy(await verifyToken(signed, config, new Date(expiresAt.getTime() - 1)))
  const error = await t.throwsAsync(verifyToken(signed, config, expiresAt), { instanceOf: Refusal })
  t.like(error?.toPublic('r'), { code: 'unauthenticated', message: 'The token has expired.' })
})

test('the forged tokens start from a good one', async (t) => {
  t.like(await verifyToken(await token({}), config, now), subject)
})

const FORGED: Record<string, () => Promise<string> | string> = {
  empty: () => '',
  garbage: () => 'not.a.token',
  'signed with another secret': () => token({ secret: new Uint8Array(32).fill(1) }),
  'signed with another algorithm': () => token({ alg: 'HS512', secret: Buffer.concat([key, key]) }),
  'that is not signed': () =>
    new UnsecuredJWT({ role: 'admin', tokenVersion: 3 })
      .setSubject(subject.userId)
      .setIssuer('holdfast')
      .setAudience('holdfast')
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + 60_000))
      .encode(),
  'of another issuer': () => token({ iss: 'elsewhere' }),
  'for another audience': () => token({ aud: 'elsewhere' }),
  'of an unknown role': () => token({ role: 'root' }),
  'without a version': () => token({ tokenVersion: undefined }),
  'with an operator for a subject': () => token({ sub: '{"$ne":null}' }),
  'without an end': () => token({ exp: undefined }),
  'without a beginning': () => token({ iat: undefined }),
  'with its payload changed': async () => {
    const [header, , signature] = (await token({})).split('.')
    const [, payload] = (await token({ role: 'admin', secret: new Uint8Array(32) })).split('.')
    return [header, payload, signature].join('.')
  },
}

for (const [what, forge] of Object.entries(FORGED)) {
  test(`a token ${what} is refused, and nothing is said about why`, async (t) => {
    const error = await t.throwsAsync(async () => verifyToken(await forge(), config, now), { instanceOf: Refusal })
    t.deepEqual(error?.toPublic('r'), {
      code: 'unauthenticated',
      message: 'The token is not valid.',
      retryable: false,
      requestId: 'r',
    })
  })
}

test('while a secret is replaced, tokens of either are accepted, and new ones are signed by the first', async (t) => {
  const next = { ...config, authSecret: 'the next secret of tests, long enough', authSecretAlso: config.authSecret }
  const before = { ...config, authSecretAlso: next.authSecret }
  const now = new Date()
  const [old, fresh] = [await signToken(subject, config, now), await signToken(subject, next, now)]
  for (const token of [old, fresh]) {
    t.is((await verifyToken(token, before, now)).userId, subject.userId)
    t.is((await verifyToken(token, next, now)).userId, subject.userId)
  }
  await t.throwsAsync(verifyToken(old, { authSecret: next.authSecret }, now), { message: 'The token is not valid.' })
  const late = new Date(now.getTime() + config.tokenTtlMs + 1000)
  await t.throwsAsync(verifyToken(old, next, late), { message: 'The token has expired.' })
})
