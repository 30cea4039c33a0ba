import test from 'ava'
import { SignJWT, UnsecuredJWT } from 'jose'
import { Refusal } from '../../platform/errors.js'
import { signToken, verifyToken } from '../../platform/tokens.js'

const config = { authSecret: 'a secret of tests, long enough to sign', tokenTtlMs: 60_000 }
const now = new Date('2031-01-01T00:00:00.000Z')
const subject = { userId: 'a'.repeat(24), role: 'user', tokenVersion: 3 } as const
const key = new TextEncoder().encode(config.authSecret)

const good = () =>
  new SignJWT({ role: 'user', tokenVersion: 3 })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject.userId)
    .setIssuer('holdfast')
    .setAudience('holdfast')
    .setIssuedAt(now)
    .setExpirationTime(new Date(now.getTime() + 60_000))

test('a token says who it stands for, until it expires', async (t) => {
  const token = await signToken(subject, config, now)
  const expiresAt = new Date(now.getTime() + config.tokenTtlMs)
  t.deepEqual(await verifyToken(token, config, now), { ...subject, expiresAt })
  t.truthy(await verifyToken(token, config, new Date(expiresAt.getTime() - 1)))
  const error = await t.throwsAsync(verifyToken(token, config, expiresAt), { instanceOf: Refusal })
  t.like(error?.toPublic('r'), { code: 'unauthenticated', message: 'The token has expired.' })
})

test('the row of forged tokens starts from a good one', async (t) => {
  t.like(await verifyToken(await good().sign(key), config, now), subject)
})

const FORGED: Record<string, () => Promise<string> | string> = {
  empty: () => '',
  garbage: () => 'not.a.token',
  'signed with another secret': () => good().sign(new TextEncoder().encode('another secret, as long as the first')),
  'signed with another algorithm': () => good().setProtectedHeader({ alg: 'HS512' }).sign(new Uint8Array(64).fill(1)),
  'HS384 with our secret': () => good().setProtectedHeader({ alg: 'HS384' }).sign(new Uint8Array(48).fill(1)),
  'not signed': () =>
    new UnsecuredJWT({ role: 'admin', tokenVersion: 3 })
      .setSubject(subject.userId)
      .setIssuer('holdfast')
      .setAudience('holdfast')
      .setExpirationTime('1h')
      .encode(),
  'of another issuer': () => good().setIssuer('elsewhere').sign(key),
  'for another audience': () => good().setAudience('elsewhere').sign(key),
  'of an unknown role': () =>
    new SignJWT({ role: 'root', tokenVersion: 3 })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject.userId)
      .setIssuer('holdfast')
      .setAudience('holdfast')
      .setIssuedAt(now)
      .setExpirationTime('1h')
      .sign(key),
  'with operators for a subject': () => good().setSubject('{"$ne":null}').sign(key),
  'without an end': () =>
    new SignJWT({ role: 'user', tokenVersion: 3 })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject.userId)
      .setIssuer('holdfast')
      .setAudience('holdfast')
      .setIssuedAt(now)
      .sign(key),
  'with its payload changed': async () => {
    const [header, , signature] = (await good().sign(key)).split('.')
    const payload = Buffer.from(JSON.stringify({ ...subject, role: 'admin' })).toString('base64url')
    return [header, payload, signature].join('.')
  },
}

for (const [what, forge] of Object.entries(FORGED)) {
  test(`a token ${what} is refused, and nothing is said about why`, async (t) => {
    const error = await t.throwsAsync(async () => verifyToken(await forge(), config, now), { instanceOf: Refusal })
    t.deepEqual((error as Refusal).toPublic('r'), {
      code: 'unauthenticated',
      message: 'The token is not valid.',
      retryable: false,
      requestId: 'r',
    })
  })
}
