import { watchStalls } from '../../platform/app/stallWatch.js'

/** A process with operations under way, which spins, or waits for twice as long as it may stand still. */
const STALLED_AFTER_MS = 2000
const operations = ['test.idle', 'test.spin', 'test.over', 'test.beside']
const watch = watchStalls({ app: 'test', operations, stalledAfterMs: STALLED_AFTER_MS })
for (const operation of ['test.spin', 'test.over', 'test.beside']) watch.begin(operation)
watch.end('test.over')
// Once the other thread has begun.
setTimeout(() => {
  if (process.argv[2] === 'spins') for (;;);
  watch.stop()
  process.disconnect()
}, 2 * STALLED_AFTER_MS)
