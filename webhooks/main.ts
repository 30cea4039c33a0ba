import { boot } from '../platform/app/boot.js'
import { webhooks } from './part.js'

await boot('webhooks', webhooks)
