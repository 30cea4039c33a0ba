import { InvalidArgumentError } from 'commander'

/** A word of the command line that becomes a field of an operation's input. */
export interface Field {
  about: string
  /** A switch takes no word. */
  isSwitch?: boolean
  required?: boolean
  read(word: string): unknown
}

export type Fields = Readonly<Record<string, Field>>

const wrong = (what: string): never => {
  throw new InvalidArgumentError(what)
}

export const text = (about: string): Field => ({ about, read: (word) => word })

export const whole = (about: string): Field => ({
  about,
  read: (word) => (/^\d+$/.test(word) ? Number(word) : wrong('It is a whole number.')),
})

/** As people write it, 12.50. Without the point nobody knows whether units or cents are meant. */
export const money = (about: string): Field => ({
  about: `${about}, as 12.50`,
  read: (word) => minorUnits(word) ?? wrong('Amounts are written with two decimals, as 12.50.'),
})

/** 1250 of 12.50; undefined of whatever else. */
export const minorUnits = (word: string): number | undefined =>
  /^\d+\.\d\d$/.test(word) ? Number(word.replace('.', '')) : undefined

export const time = (about: string): Field => ({
  about: `${about}, as 2031-01-01T09:00Z`,
  read(word) {
    if (!/(Z|[+-]\d\d:\d\d)$/i.test(word))
      return wrong('A time says its zone: 2031-01-01T09:00Z, or +02:00 in place of Z.')
    const read = new Date(word)
    return Number.isNaN(read.getTime()) ? wrong('That is no time.') : read.toISOString()
  },
})

export const flag = (about: string): Field => ({ about, isSwitch: true, read: () => true })

export const yesNo = (about: string): Field => ({
  about: `${about}: yes or no`,
  read: (word) => (word === 'yes' ? true : word === 'no' ? false : wrong('Say yes or no.')),
})

/** `Ada Lovelace,Bob`. */
export const people = (about: string): Field => ({
  about: `${about}, with commas between`,
  read: (word) => word.split(',').map((name) => ({ name: name.trim() })),
})

/** `users:read,bookings:write`. */
export const list = (about: string): Field => ({
  about: `${about}, with commas between`,
  read: (word) => word.split(',').map((each) => each.trim()),
})

export const required = (field: Field): Field => ({ ...field, required: true })

/** What every list takes. */
export const PAGING: Fields = {
  limit: whole('so many at once, 200 at most'),
  cursor: text('where the page before ended'),
}
