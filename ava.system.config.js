import common from './ava.config.js'

/** `npm run test:system`: whole systems, under PM2 or as processes of their own. One at a time, for each wants all cores. */
export default { ...common, files: ['test/system/**/*.test.ts'], timeout: '10m', concurrency: 1 }
