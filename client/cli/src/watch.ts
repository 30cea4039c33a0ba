import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Gap, Holdfast, LobbyEntry, UserEntry } from '../../src/index.js'
import type { Ground } from './ground.js'
import { record } from './print.js'

const LOOK_EVERY_MS = 1000
const ENDED = new Set(['COMMITTED', 'CANCELLED'])

/** `watch`: what happens, as it happens, until it ends or Ctrl-C. */
export function addWatch(program: Command, ground: () => Ground): void {
  const watch = program.command('watch').description('shows what happens, as it happens, until Ctrl-C')
  const print = (at: string, what: object): void =>
    console.log(ground().json ? JSON.stringify({ at, ...what }) : `${at.slice(11, 19)}  ${inLine(what)}`)

  /** A gap has no time of its own. */
  const tell = (entry: Gap | LobbyEntry | UserEntry): void => {
    const { at, ...rest } = { at: new Date().toISOString(), ...entry }
    print(at, rest)
  }

  watch
    .command('lobby')
    .description('what is told in a lobby')
    .argument('<lobbyId>', 'an id')
    .option('--from <seq>', 'begins behind this entry', Number)
    .action((lobbyId: string, { from }: { from?: number }) =>
      ground().connected(async (holdfast) => {
        const entries = holdfast.lobby(lobbyId, from === undefined ? {} : { lastSeq: from })
        for await (const entry of entries) tell(entry)
      }),
    )
  watch
    .command('news')
    .description('what you are told')
    .action(() =>
      ground().connected(async (holdfast) => {
        for await (const entry of holdfast.news()) tell(entry)
      }),
    )
  watch
    .command('booking')
    .description('a booking, until it is COMMITTED or CANCELLED')
    .argument('<bookingId>', 'an id')
    .action((bookingId: string) =>
      ground().connected((holdfast) =>
        whileChanging(
          () => holdfast.getBooking({ bookingId }),
          ({ state, reason, lastModified }) => print(lastModified, { state, ...(reason && { reason }) }),
          ({ state }) => ENDED.has(state),
        ),
      ),
    )
  watch
    .command('system')
    .description('how the system is, whenever that changes')
    .action(() =>
      ground().connected((holdfast) =>
        whileChanging(
          () => statusOf(holdfast),
          (status) => print(new Date().toISOString(), status),
          () => false,
        ),
      ),
    )
}

async function statusOf(holdfast: Holdfast): Promise<object> {
  const { status, message, checks } = await holdfast.getStatus()
  return {
    status,
    message,
    wrong: checks.filter(({ ok }) => !ok).map(({ domain, name, detail }) => `${domain} ${name}: ${detail}`),
  }
}

async function whileChanging<T>(
  read: () => Promise<T>,
  tell: (value: T) => void,
  isLast: (value: T) => boolean,
): Promise<void> {
  for (let before = ''; ;) {
    const value = await read()
    const now = JSON.stringify(value)
    if (now !== before) tell(value)
    if (isLast(value)) return
    before = now
    await sleep(LOOK_EVERY_MS)
  }
}

const inLine = (what: object): string => record(what).replaceAll(/ {2,}/g, ' ').replaceAll('\n', ', ')
