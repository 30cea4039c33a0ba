import type { AppPart } from '../platform/app/boot.js'
import { DOMAINS, followersOf } from './followers.js'
import { startFollowers } from './runner.js'
import { watchForTrouble } from './watch.js'

export const projections: AppPart = {
  domains: DOMAINS,
  start(system) {
    const runner = startFollowers(system, followersOf(system))
    const watch = watchForTrouble(system)
    return Promise.resolve(() => {
      watch.stop()
      return runner.stop()
    })
  },
}
