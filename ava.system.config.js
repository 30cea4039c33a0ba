import common from './ava.config.js'
import { LOAD } from './ava.load.config.js'

/** `npm run test:system`: whole systems, under PM2 or as processes of their own. Two at a time, since each waits a lot. */
export default { ...common, files: ['test/system/**/*.test.ts', ...LOAD.map((files) => `!${files}`)], timeout: '10m' }
