import { boot } from '../platform/app/boot.js'
import { jobs } from './parts.js'

await boot('jobs', jobs)
