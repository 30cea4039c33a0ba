/** What takes minutes, since it looks at every crash point, every interleaving, thousands of random histories, or copies of the tree: ava.proof.config.js. */
export const PROOF = [
  'test/proof/**/*.test.ts',
  'test/**/faults.test.ts',
  'test/**/faults/*.test.ts',
  'test/house/adding.test.ts',
  'test/client/exactlyOnce.test.ts',
  'test/client/packed.test.ts',
  'test/client/browser.test.ts',
  'test/client/programs.test.ts',
  'test/client/import.test.ts',
  'test/calendars/pairs.test.ts',
  'test/tickets/stripe.test.ts',
  'test/trains/changes.test.ts',
  'test/users/audit.test.ts',
  'test/users/transfers.test.ts',
  'test/users/ledger.test.ts',
  'test/tickets/refunds.test.ts',
  'test/calendars/cancellation.test.ts',
  'test/protocol/poison.test.ts',
  'test/platform/runtime/pages.test.ts',
]

/** `npm test`: everything but proofs (`npm run test:proof`) and whole systems (`npm run test:system`, `npm run test:load`). */
export default {
  files: ['test/**/*.test.ts', '!test/system/**', ...PROOF.map((files) => `!${files}`)],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  timeout: '5m',
  concurrency: 2,
}
