import { boot } from '../platform/app/boot.js'
import { agendash } from './parts.js'

await boot('agendash', agendash)
