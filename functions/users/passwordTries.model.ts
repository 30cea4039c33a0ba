import { field, listOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/** The wrong passwords of an account, by where they came from. */
export interface PasswordTriesDocument {
  /** The user's id, or `unknown:<n>`: e-mail addresses that nobody has share a few. */
  _id: string
  /** At most one of strangers, and of each address that its owner has signed in from; the latest last. */
  lanes: TryLane[]
  version: number
}

/** Those who share a count of wrong passwords, and the wait for the next try. */
export interface TryLane {
  by: string
  wrong: number
  nextAt: Date
}

export const PasswordTries = defineModel<PasswordTriesDocument>('users', 'passwordTries', {
  _id: field.text,
  lanes: listOf<TryLane>(field.any),
  version: field.count,
})
