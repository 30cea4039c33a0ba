import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'

/**
 * A frame is an AMP message, as axon sends them, of exactly three arguments: the one name that we listen to, a
 * signature, and a body. Everything before the signature is constant, so whoever speaks anything else is known by the
 * first byte that differs, and nothing is kept of what he says.
 *
 *     0x13 | 10 "s:holdfast" | 32 signature | length body
 */
const HEAD = Buffer.concat([Buffer.from([0x13, 0, 0, 0, 10]), Buffer.from('s:holdfast'), Buffer.from([0, 0, 0, 32])])
const SIGNATURE_BYTES = 32
const SEAL_CHARS = 43
const BODY_AT = HEAD.length + SIGNATURE_BYTES + 4

export type Key = KeyObject

export const deriveKey = (key: Key | string, ...parts: string[]): Key => {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return createSecretKey(hmac.digest())
}

/** `label` is signed too, but not sent: both ends know it. */
export function encodeFrame(key: Key, label: string, body: string): Buffer {
  const length = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(BODY_AT + length)
  HEAD.copy(frame)
  frame.writeUInt32BE(length, BODY_AT - 4)
  frame.write(body, BODY_AT)
  sign(key, label, frame.subarray(BODY_AT)).copy(frame, HEAD.length)
  return frame
}

/** The body, when the signature is that of key and label; else undefined. */
export function openFrame(key: Key, label: string, frame: Buffer): string | undefined {
  const body = frame.subarray(BODY_AT)
  const signature = frame.subarray(HEAD.length, HEAD.length + SIGNATURE_BYTES)
  return timingSafeEqual(signature, sign(key, label, body)) ? body.toString() : undefined
}

const sign = (key: Key, label: string, body: Buffer): Buffer =>
  createHmac('sha256', key).update(label).update(body).digest()

/** For datagrams, which carry text: the signature in base64url, then the text. */
export const sealText = (key: Key, label: string, text: string): string =>
  sign(key, label, Buffer.from(text)).toString('base64url') + text

/** The text, when the signature is that of key and label; else undefined. */
export function openText(key: Key, label: string, sealed: string): string | undefined {
  const text = sealed.slice(SEAL_CHARS)
  const expected = Buffer.from(sealText(key, label, text))
  const actual = Buffer.from(sealed)
  return actual.length === expected.length && timingSafeEqual(actual, expected) ? text : undefined
}

/** Bytes that are no frame of ours, or one longer than its sender may send. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame'
}

export interface FrameReader {
  /** Takes what arrived; answers the frames that are complete now. Throws BadFrame. */
  read(chunk: Buffer, maxBodyBytes: () => number): Iterable<Buffer>
}

/** Cuts a stream of bytes into frames. Keeps at most one incomplete frame. */
export function createFrameReader(): FrameReader {
  let chunks: Buffer[] = []
  let bytes = 0
  let wanted = 1

  return {
    *read(chunk, maxBodyBytes) {
      chunks.push(chunk)
      bytes += chunk.length
      // Joined only when it can complete a frame: a large one arrives in many chunks.
      while (bytes >= wanted) {
        const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)
        const known = Math.min(all.length, HEAD.length)
        if (all.compare(HEAD, 0, known, 0, known) !== 0) throw new BadFrame('not a frame of ours')
        wanted = BODY_AT
        if (all.length >= BODY_AT) {
          const length = all.readUInt32BE(BODY_AT - 4)
          if (length > maxBodyBytes()) throw new BadFrame('frame too long')
          wanted += length
        }
        chunks = [all]
        if (all.length < wanted || all.length < BODY_AT) return
        const rest = all.subarray(wanted)
        chunks = rest.length ? [rest] : []
        bytes = rest.length
        const frame = all.subarray(0, wanted)
        wanted = 1
        yield frame
      }
    },
  }
}
