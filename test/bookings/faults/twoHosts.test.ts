import { testFaults } from './scenarios.js'

const BOOKINGS = '127.0.0.3'

// The audit asks payments, trains, calendars and timers as well. The writes of another host's connections are not a test's to repeat.
testFaults(() =>
  Promise.resolve({
    hosts: {
      users: '127.0.0.2',
      bookings: BOOKINGS,
      calendars: BOOKINGS,
      payments: BOOKINGS,
      trains: BOOKINGS,
      expirations: BOOKINGS,
    },
  }),
)
