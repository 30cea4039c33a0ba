import { boot } from '../platform/app/boot.js'
import { DOMAINS, followersOf } from './followers.js'
import { startFollowers } from './runner.js'

await boot('projections', DOMAINS, (system) => {
  const runner = startFollowers(system, followersOf(system))
  return Promise.resolve(() => runner.stop())
})
