/** Does the work at the first call, and for all calls within `everyMs` of it once more behind that. */
export function atMostEvery(everyMs: number, work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let due = false

  function again(): void {
    timer = undefined
    if (due) begin()
  }
  function begin(): void {
    due = false
    timer = setTimeout(again, everyMs).unref()
    work()
  }
  return () => {
    if (timer) due = true
    else begin()
  }
}
