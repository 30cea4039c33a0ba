import { caches, type Cache } from '../../platform/runtime/cache.js'
import type { System } from '../../platform/runtime/system.js'
import type { ShownTrain } from './train.presenter.js'

/** Trains as they are shown, by id; null where there is none. Dropped when a function or an event says that one changed. */
export const trainCache = (system: System): Cache<ShownTrain | null> => system.use(caches).open('train')

/** Pages of lists: nothing says which of them a change touches, so they only grow old. */
export const trainListCache = (system: System): Cache<{ items: ShownTrain[]; nextCursor: string | null }> =>
  system.use(caches).open('trains')
