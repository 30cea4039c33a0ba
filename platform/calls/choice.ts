/** A process that may be chosen, as its caller knows it. */
export interface Candidate {
  id: string
  /** Calls that are under way there: of all callers, as it said of late, and at least those of this one. */
  underWay: number
}

/** So many calls at once are a process's share; with more, the next one is used as well. */
const SHARE = 128
/** A key's process may have so many times as many calls under way as those in use have on average. */
const BOUND = 1.25

/**
 * Where a call goes; undefined where there is nothing to choose from. It is only a preference: whatever is right if two
 * processes write at once stays right wherever a call goes.
 *
 * Calls with a key meet. Writes that are under way in one process at once share statements, whatever they write to, so
 * spreading them makes each dearer: only as few processes are in use as have a share each, for every caller the same
 * ones. Among those a key goes to its own, by rendezvous hashing (what dies moves its own keys and no others), unless
 * that is too far above the average: then to the key's next one (consistent hashing with bounded loads).
 *
 * Calls without one go where the fewest are under way, in turn among equals.
 */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  key: string | undefined,
  turn: number,
): C | undefined {
  if (key === undefined) return leastBusy(candidates, turn)
  const inUse = ranked(candidates, '').slice(0, Math.ceil((underWayIn(candidates) + 1) / SHARE))
  const most = Math.ceil((BOUND * (underWayIn(inUse) + 1)) / inUse.length)
  // Not all of them can be above their average.
  return ranked(inUse, key).find((each) => each.underWay < most)
}

function leastBusy<C extends Candidate>(candidates: readonly C[], turn: number): C | undefined {
  const first = turn % candidates.length
  return [...candidates.slice(first), ...candidates.slice(0, first)].reduce<C | undefined>(
    (least, each) => (least && least.underWay <= each.underWay ? least : each),
    undefined,
  )
}

const underWayIn = (candidates: readonly Candidate[]): number =>
  candidates.reduce((sum, { underWay }) => sum + underWay, 0)

/** Best first. All callers agree on it, and no candidate's place depends on which others there are. */
const ranked = <C extends Candidate>(candidates: readonly C[], key: string): C[] =>
  candidates
    .map((candidate) => ({ candidate, weight: hash(`${key} ${candidate.id}`) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ candidate }) => candidate)

/** FNV-1a, and the last step of MurmurHash3, without which similar texts have similar weights. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
