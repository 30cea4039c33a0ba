import { boot } from '../platform/app/boot.js'
import { projections } from './part.js'

await boot('projections', projections)
