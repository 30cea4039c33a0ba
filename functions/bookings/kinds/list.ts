import car from './car/contract.js'
import room from './room/contract.js'
import train from './train/contract.js'

/** The kinds of things to book, by their contracts. docs/adding.md shows how another one is made. */
export const KINDS = [
  // One a line.
  car,
  room,
  train,
] as const

export type KindName = (typeof KINDS)[number]['name']
