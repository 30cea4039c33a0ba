import { makes } from '../../platform/migrations/migration.js'
import { NUMBER, PRICE, TEXT, thingOf } from '../../platform/migrations/shapes.js'

export default makes({ rooms: thingOf({ name: TEXT, pricePerNight: PRICE, units: NUMBER, timeZone: TEXT }) })
