import { makes } from '../../platform/migrations/migration.js'
import {
  BY_AGE,
  COUNT,
  DATE,
  documentOf,
  EVENTS,
  FLAG,
  LIST,
  objectOf,
  PLACES,
  PRICE,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  trains: {
    schema: documentOf(
      {
        route: TEXT,
        routeKey: TEXT,
        departureTime: DATE,
        arrivalTime: DATE,
        seats: COUNT,
        // The last line of defence: the first one is in the filter of every booking's write.
        seatsLeft: COUNT,
        pricePerSeat: PRICE,
        deleted: FLAG,
        ...PLACES,
        version: COUNT,
        request: REQUEST,
        createdAt: DATE,
        updatedAt: DATE,
      },
      { calledOff: objectOf({ at: DATE, reason: TEXT, bookingIds: LIST }) },
    ),
    indexes: [BY_AGE, { key: { routeKey: 1, createdAt: 1, _id: 1 }, name: 'by_route_and_age' }],
  },
  events: EVENTS,
})
