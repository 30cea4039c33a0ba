import { LRUCache } from 'lru-cache'
import type { Types } from 'mongoose'
import { unlessTaken } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { createLanes } from '../../platform/runtime/lanes.js'
import { verifyPassword } from '../../platform/runtime/passwords.js'
import { standInFor } from '../../platform/runtime/standIns.js'
import { PasswordTries, type TryLane } from './passwordTries.model.js'

/** Everybody from an address that the owner has never signed in from. */
const STRANGERS = 'strangers'
const FREE_TRIES = 10
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 15 * 60_000
/** After the last wait: then a lane begins anew. */
const FORGET_MS = 24 * 3_600_000
const MAX_KNOWN_ADDRESSES = 20
const UNKNOWN_ACCOUNTS = 1024
/** Of several at once one is counted, and the others look again: all free tries, and some. */
const ATTEMPTS = 2 * FREE_TRIES + 10
/** So long whoever has to wait is refused from memory: then it is looked whether the address became known elsewhere. */
const REMEMBERED_MS = 1000
const MAX_REMEMBERED = 10_000

/** The user whose password it is; null: nobody has this e-mail address. */
type Owner = { _id: Types.ObjectId; passwordHash?: string | undefined } | null

/**
 * Whether a password is the user's. Each try counts as wrong before anybody looks, so that of however many at once, over
 * all addresses and processes, no more pass than there are free; the right one is taken back. Throws `rate_limited` while
 * its lane waits. Strangers share one lane, whose wait grows; an address from which the owner has signed in keeps its own,
 * so that guessers lock out nobody where they are known. Unknown e-mail addresses have lanes, too: they tell nothing.
 */
export async function tryPassword(ctx: Context, owner: Owner, email: string, password: string): Promise<boolean> {
  const account = owner ? owner._id.toHexString() : unknownAccount(ctx, email)
  // One after the other from an address: hundreds at once would each look again after every other one's write.
  const count = async () => {
    refuseWaiting(ctx, email)
    return changeLanes(ctx, account, (lanes) => counted(lanes, ctx, email))
  }
  await ctx.use(queues).run(`${account} ${ctx.address}`, count)
  const matches = await verifyPassword(owner?.passwordHash, password)
  if (matches) await changeLanes(ctx, account, (lanes) => takenBack(lanes, ctx))
  return matches
}

/**
 * Throws `rate_limited` where a try from this address would be refused, as this process knows by itself: whoever guesses
 * hundreds of times a second costs nobody a read.
 */
export function refuseWaiting(ctx: Context, email: string): void {
  const waits = ctx.use(knownWaits)
  const wait = waits.get(waitKey(ctx, email))
  const nowMs = ctx.now().getTime()
  if (wait && nowMs < Math.min(wait.knownAtMs + REMEMBERED_MS, wait.nextAtMs)) throw mustWait(wait.nextAtMs - nowMs)
}

const knownWaits = () => new LRUCache<string, { knownAtMs: number; nextAtMs: number }>({ max: MAX_REMEMBERED })
const waitKey = ({ address }: Context, email: string): string => `${address} ${email}`
const mustWait = (retryAfterMs: number) => new Refusal('rate_limited', 'Too many wrong passwords.', { retryAfterMs })

const tooMany = () => new Refusal('rate_limited', 'Too many try passwords at once.', { retryAfterMs: FIRST_WAIT_MS })
const queues = () => createLanes({ atOnce: 1, waiting: 2 * FREE_TRIES, full: tooMany })

/** The owner signed in from where this request comes from, without a password that could be tried. */
export const rememberAddress = (ctx: Context, { _id }: { _id: Types.ObjectId }): Promise<void> =>
  changeLanes(ctx, _id.toHexString(), (lanes) => withKnown(lanes, ctx))

const unknownAccount = ({ config }: Context, email: string): string =>
  `unknown:${Buffer.from(standInFor(config, email), 'base64url').readUInt16BE() % UNKNOWN_ACCOUNTS}`

/** The lane of this request with one more wrong password. */
function counted(lanes: readonly TryLane[], ctx: Context, email: string): TryLane[] {
  const { address } = ctx
  const at = ctx.now()
  const lane =
    lanes.find(({ by }) => by === address) ?? lanes.find(({ by }) => by === STRANGERS) ?? fresh(STRANGERS, at)
  const waitMs = lane.nextAt.getTime() - at.getTime()
  if (waitMs > 0) {
    ctx.use(knownWaits).set(waitKey(ctx, email), { knownAtMs: at.getTime(), nextAtMs: lane.nextAt.getTime() })
    throw mustWait(waitMs)
  }
  const wrong = (-waitMs > FORGET_MS ? 0 : lane.wrong) + 1
  return replaced(lanes, { by: lane.by, wrong, nextAt: new Date(at.getTime() + waitAfterMs(wrong)) })
}

export const waitAfterMs = (wrong: number): number =>
  wrong < FREE_TRIES ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(wrong - FREE_TRIES, 30))

/** It was right. What strangers got wrong before stays counted: an owner who signs in opens no door to them. */
function takenBack(lanes: readonly TryLane[], ctx: Context): TryLane[] {
  const lane = lanes.some(({ by }) => by === ctx.address) ? undefined : lanes.find(({ by }) => by === STRANGERS)
  const rest = lane ? replaced(lanes, { ...lane, wrong: Math.max(0, lane.wrong - 1), nextAt: ctx.now() }) : lanes
  return withKnown(rest, ctx)
}

/** The address is known from now on, and what was wrong from there is forgotten. */
function withKnown(lanes: readonly TryLane[], { address, now }: Context): TryLane[] {
  if (address === null) return [...lanes]
  const strangers = lanes.filter(({ by }) => by === STRANGERS)
  const known = lanes.filter(({ by }) => by !== STRANGERS && by !== address)
  return [...strangers, ...[...known, fresh(address, now())].slice(-MAX_KNOWN_ADDRESSES)]
}

const fresh = (by: string, nextAt: Date): TryLane => ({ by, wrong: 0, nextAt })

const replaced = (lanes: readonly TryLane[], lane: TryLane): TryLane[] => [
  ...lanes.filter(({ by }) => by !== lane.by),
  lane,
]

/** Compares and sets: where somebody else was first, `change` sees what they left. What it throws changes nothing. */
async function changeLanes(ctx: Context, _id: string, change: (lanes: readonly TryLane[]) => TryLane[]): Promise<void> {
  const model = ctx.model(PasswordTries)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await model.findById(_id).readConcern('local').lean()
    const lanes = change(found?.lanes ?? [])
    if (found) {
      const { version } = found
      const { modifiedCount } = await model.updateOne({ _id, version }, { $set: { lanes }, $inc: { version: 1 } })
      if (modifiedCount === 1) return
    } else if (await unlessTaken(model.create({ _id, lanes, version: 1 }))) return
  }
  throw tooMany()
}
