/** `npm test`: everything but what starts whole systems, which is `npm run test:system` (ava.system.config.js). */
export default {
  files: ['test/**/*.test.ts', '!test/system/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  timeout: '5m',
  concurrency: 2,
}
