import { boot } from '../platform/app/boot.js'
import { DOMAINS, followersOf } from './followers.js'
import { startFollowers } from './runner.js'
import { watchForTrouble } from './watch.js'

await boot('projections', DOMAINS, (system) => {
  const runner = startFollowers(system, followersOf(system))
  const watch = watchForTrouble(system)
  return Promise.resolve(() => {
    watch.stop()
    return runner.stop()
  })
})
