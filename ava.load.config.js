import common from './ava.config.js'

/** What keeps every core busy by itself, and measures what its users see. */
export const LOAD = ['badDeploys', 'chaos', 'logRace', 'ticketRace'].map((name) => `test/system/${name}.test.ts`)

/** `npm run test:load`: whole systems under load, one at a time. */
export default { ...common, files: LOAD, timeout: '10m', concurrency: 1 }
