import type { ArmNumber } from './arms/arm.js'
import type { Sample } from './measure.js'
import type { Options } from './options.js'

/** Everything that a run of the benchmark found: performance.json. */
export interface Results {
  command: string
  startedAt: string
  machine: Machine
  options: Options
  /** Arms that were asked for, and can't be had on this machine. */
  skipped: { arm: ArmNumber; why: string }[]
  ceilings: Ceiling[]
  samples: Sample[]
  reads: ReadResult[]
  growth: Growth | null
  instances: Instances[]
  idle: IdleApp[]
}

export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  os: string
  node: string
  mongod: string
  /** null: no arm needed it. */
  postgres: string | null
  /** Busy processes a core when the run began: far above 0, others worked here too. */
  loadPerCore: number
}

/** What the database can do at most: single durable inserts, each a command of its own. */
export interface Ceiling {
  inFlight: number
  writesPerSecond: number
}

export interface ReadResult {
  what: string
  perSecond: number
  p50: number
  p99: number
}

export interface Growth {
  sizes: GrowthSize[]
  cars: { activeBookings: number; documentBytes: number; p50: number; bookingsPerSecond: number }[]
  anomalies: string[]
}

/** With so many instances of all functions, in one app; the median of some runs, by bookings a second. */
export interface Instances {
  instances: number
  bookingsPerSecond: number
  p50: number
  p99: number
  /** CPU ms a booking. */
  databaseMs: number
  productMs: number
  roundTripsPerBooking: number
  /** Of all its runs. */
  anomalies: string[]
}

/** With so many bookings and users stored. */
export interface GrowthSize {
  stored: number
  bookingsPerSecond: number
  bookingP50: number
  listBookingsP50: number
  listUsersP50: number
  listCarsP50: number
  recovery: { stuck: number; seconds: number; documentsExamined: number }
}

export interface IdleApp {
  app: string
  processes: number
  /** 1 is a core. */
  cpu: number
  residentMb: number
}
