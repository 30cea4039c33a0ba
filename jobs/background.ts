import { boot } from '../platform/app/boot.js'
import { projections } from '../projections/part.js'
import { webhooks } from '../webhooks/part.js'
import { agendash, jobs } from './parts.js'

/** All that is neither gateway nor functions, for machines where a process each would be most of what runs. */
await boot('background', projections, jobs, agendash, webhooks)
