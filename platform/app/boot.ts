import { runApp } from './app.js'
import { connect } from '../runtime/connect.js'
import { createCoteTransport } from '../calls/cote.js'
import { createSystem, type System } from '../runtime/system.js'

/** What an app that hosts no functions does. Several may share a process: its memory, its discovery, its connections. */
export interface AppPart {
  /** Whose databases it uses. */
  domains: readonly string[]
  /** Answers how to stop. */
  start(system: System): Promise<() => Promise<void>>
}

/** A PM2 app of these parts. Waits while their databases are out of reach. */
export const boot = (app: string, ...parts: readonly AppPart[]): Promise<void> =>
  runApp(app, async (config, log) => {
    const transport = await createCoteTransport({ config, log })
    const system = createSystem({ app, config, log, functions: [], transport })
    for (const domain of new Set(parts.flatMap(({ domains }) => domains))) await connect(system, domain)
    const ends: (() => Promise<void>)[] = []
    for (const part of parts) ends.push(await part.start(system))
    return { stop: () => Promise.all(ends.map((end) => end())).then(() => system.close()) }
  })
