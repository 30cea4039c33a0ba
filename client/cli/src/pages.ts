export interface Page {
  items: object[]
  nextCursor: string | null
}

/** All pages of a list, from a cursor on or from the beginning, each read when it is asked for. */
export async function* pagesOf(
  read: (from: { cursor?: string }) => Promise<Page>,
  first?: string,
): AsyncGenerator<object[]> {
  for (let cursor: string | null | undefined = first; cursor !== null;) {
    const page = await read(cursor ? { cursor } : {})
    yield page.items
    cursor = page.nextCursor
  }
}
