import { makes } from '../../platform/migrations/migration.js'
import { PRICE, TEXT, thingOf } from '../../platform/migrations/shapes.js'

export default makes({ cars: thingOf({ name: TEXT, pricePerHour: PRICE }) })
