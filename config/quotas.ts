import { z } from 'zod'
import type { SettingKind } from './kinds.js'

/** What one user may store in a day (UTC), by name; `accounts` is of one network address. 0: as much as they like. */
export const QUOTAS = {
  accounts: 100,
  blocks: 200,
  bookings: 10_000,
  charges: 500,
  invitations: 200,
  invitationChanges: 500,
  invitationsToOne: 20,
  mails: 100,
  messages: 2000,
  messageBytes: 5_000_000,
  orders: 500,
  posts: 2000,
  postBytes: 2_000_000,
  tickets: 500,
}

export type QuotaName = keyof typeof QUOTAS
export type Quotas = Record<QuotaName, number>

const names = Object.keys(QUOTAS) as QuotaName[]

export const NO_QUOTAS = Object.fromEntries(names.map((name) => [name, 0])) as Quotas

const entry = /^([A-Za-z]+)=(0|[1-9]\d{0,11})$/

/** Quotas that are not named keep their default. */
export const quotas: SettingKind<Quotas> = {
  values: 'name=number, comma-separated; those not named keep their default, 0: none',
  read: z.string().transform((value, { addIssue }) => {
    const entries = value.split(',').flatMap((each): [QuotaName, number][] => {
      const [, name = '', number] = entry.exec(each.trim()) ?? []
      if (names.includes(name as QuotaName)) return [[name as QuotaName, Number(number)]]
      addIssue(`must list name=number with names of ${names.join(', ')}, which "${each.trim()}" is not`)
      return []
    })
    return { ...QUOTAS, ...Object.fromEntries(entries) }
  }),
}

export const DEFAULT_QUOTAS = names.map((name) => `${name}=${QUOTAS[name]}`).join(',')
