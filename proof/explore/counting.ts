/** States by the million: their numbers, what leads from one to the next, and in how many ways. */

/** A JavaScript Map holds no more than 2^24 keys. */
const KEYS_PER_MAP = 16_000_000

export class Keys {
  private readonly maps = [new Map<string, number>()]
  size = 0

  /** The number of a key, and whether it is new. */
  add(key: string): [number, boolean] {
    for (const map of this.maps) {
      const known = map.get(key)
      if (known !== undefined) return [known, false]
    }
    if ((this.maps.at(-1) as Map<string, number>).size >= KEYS_PER_MAP) this.maps.push(new Map())
    ;(this.maps.at(-1) as Map<string, number>).set(key, this.size)
    return [this.size++, true]
  }
}

/** A list of numbers that grows without copying what is there. */
export class Column {
  private readonly chunks: Int32Array[] = []
  length = 0

  push(value: number): void {
    const at = this.length & 0xfffff
    if (at === 0) this.chunks.push(new Int32Array(0x100000))
    ;(this.chunks.at(-1) as Int32Array)[at] = value
    this.length++
  }

  get(i: number): number {
    return (this.chunks[i >>> 20] as Int32Array)[i & 0xfffff] as number
  }
}

/** Ways from a start to an end. An edge back to where one came from is waiting in vain, and no way of its own. */
export function countSchedules(states: number, { from, to }: { from: Column; to: Column }): number {
  const first = new Int32Array(states + 1)
  for (let i = 0; i < from.length; i++) first[from.get(i) + 1]!++
  for (let i = 0; i < states; i++) first[i + 1]! += first[i]!
  // Edges were recorded by their origin in order, so those of one state stand together.
  const ways = new Float64Array(states)
  const mark = new Uint8Array(states)
  const OPEN = 1
  const DONE = 2
  let total = 0
  const stack: number[] = []
  const cursor = new Int32Array(states)
  for (let root = 0; root < states; root++) {
    if (mark[root] === DONE) continue
    stack.push(root)
    while (stack.length > 0) {
      const at = stack[stack.length - 1] as number
      if (mark[at] === 0) {
        mark[at] = OPEN
        cursor[at] = first[at]!
      }
      let went = false
      while (cursor[at]! < first[at + 1]!) {
        const next = to.get(cursor[at]!)
        if (mark[next] === 0) {
          stack.push(next)
          went = true
          break
        }
        if (mark[next] === DONE) ways[at]! += ways[next]!
        cursor[at]!++
      }
      if (went) continue
      if (ways[at] === 0) ways[at] = 1
      mark[at] = DONE
      stack.pop()
    }
    if (root === 0) total = ways[0]!
  }
  return total
}
