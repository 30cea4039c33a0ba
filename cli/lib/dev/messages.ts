/** What cli/dev.ts tells the process that it keeps. */
export type ToProcess =
  /** The one before is gone: take the port and the jobs. */
  | { do: 'begin' }
  /** This function's file was saved. */
  | { do: 'reload'; file: string }
  | { do: 'end' }

/** What it answers. */
export type FromProcess =
  | { is: 'loaded' }
  | { is: 'ready' }
  /** It could not load, or begin. */
  | { is: 'failed'; why: string }
  /** `<domain>.<operation>` */
  | { is: 'reloaded'; name: string }
  /** The code of before goes on answering. */
  | { is: 'refused'; name: string; why: string }

/** An error of Node's, of the compiler's or of ours, without the stack. */
export const inWords = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^Transform failed with .*\n/, '').trim() : String(error)
