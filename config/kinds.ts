import { isIP } from 'node:net'
import { z } from 'zod'
import { complaintOf } from './mongodb.js'

/** The kinds of settings: how the text of the environment is read, whole or not at all, and what the docs say of it. */
export interface SettingKind<T> {
  /** What values there are, for the docs. */
  values: string
  read: z.ZodType<T, string>
}

const kind = <T>(values: string, read: z.ZodType<T, string>): SettingKind<T> => ({ values, read })

const checked = (values: string, complain: (value: string) => string | undefined): SettingKind<string> =>
  kind(
    values,
    z.string().superRefine((value, { addIssue }) => {
      const complaint = complain(value)
      if (complaint !== undefined) addIssue(complaint)
    }),
  )

const unless = (right: (value: string) => boolean, complaint: string) => (value: string) =>
  right(value) ? undefined : complaint

export const text = checked('text', () => undefined)

export const wholeNumber = (least: number, most: number): SettingKind<number> =>
  kind(
    `${least} to ${most}`,
    z
      .string()
      .regex(/^(0|[1-9]\d{0,15})$/, 'is no whole number')
      .transform(Number)
      .pipe(z.number().min(least, `is under its minimum, ${least}`).max(most, `is over its maximum, ${most}`)),
  )

export const port = wholeNumber(1, 65_535)

export const oneOf = <const V extends string>(...values: readonly V[]): SettingKind<V> =>
  kind(
    values.join(', '),
    z.enum(values, { error: () => `must be one of ${values.join(', ')}` }) as unknown as z.ZodType<V, string>,
  )

export const address = checked(
  'an IP address',
  unless((value) => value === '' || isIP(value) > 0, 'must be an IP address'),
)

export const mongodbUri = checked('a mongodb:// or mongodb+srv:// URI', (value) =>
  value === '' ? undefined : complaintOf(value),
)

const isWebUrl = (value: string): boolean => /^https?:\/\//.test(value) && URL.canParse(value)

export const webUrl = checked(
  'an http:// or https:// address',
  unless((value) => value === '' || isWebUrl(value), 'must be an http:// or https:// address'),
)

export const smtpUrl = checked(
  'an smtp:// or smtps:// URI',
  unless(
    (value) => value === '' || (/^smtps?:\/\/[^/]/.test(value) && URL.canParse(value)),
    'must be an smtp:// or smtps:// URI',
  ),
)

export const webOrigin = checked(
  'an http:// or https:// address without a path',
  unless(isOrigin, 'must be an http:// or https:// address without a path'),
)

function isOrigin(value: string): boolean {
  return isWebUrl(value) && /^https?:\/\/[^/?#@]+$/.test(value)
}

export const currency = checked(
  'three lower-case letters',
  unless((value) => /^[a-z]{3}$/.test(value), 'must be three lower-case letters'),
)

const list = <T>(values: string, read: (entry: string) => T | Error): SettingKind<T[]> =>
  kind(
    values,
    z.string().transform((value, { addIssue }) => {
      const entries = value
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean)
        .map(read)
      const wrong = entries.find((entry) => entry instanceof Error)
      if (wrong) addIssue(wrong.message)
      return entries as T[]
    }),
  )

export const origins = list('http:// or https:// addresses without a path, comma-separated', (entry) => {
  if (isOrigin(entry)) return entry
  return new Error(
    `must list each page's origin, like https://app.example.com: there is no pattern, and no * for any page`,
  )
})

const isRedisUrl = (value: string): boolean => /^rediss?:\/\//.test(value) && URL.canParse(value)

export const redisUrl = checked(
  'a redis:// or rediss:// URI',
  unless((value) => value === '' || isRedisUrl(value), 'must be a redis:// or rediss:// URI'),
)

export const redisUrls = list('redis:// or rediss:// URIs, comma-separated', (entry) =>
  isRedisUrl(entry) ? entry : new Error('must list redis:// or rediss:// URIs'),
)

/** Instances by name; a name that stands twice would silently lose one of its numbers. */
export const placement: SettingKind<Record<string, number>> = kind(
  'name=instances, comma-separated, 1 to 99 each',
  list('', (entry) => {
    const match = /^(\*|[A-Za-z]+)=([1-9]\d?)$/.exec(entry)
    if (!match) return new Error(`must list name=instances (1 to 99), which "${entry}" is not`)
    return [match[1] as string, Number(match[2])] as const
  }).read.transform((entries, { addIssue }) => {
    const names = entries.map((entry) => entry[0])
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) addIssue(`must name "${twice}" once`)
    return Object.fromEntries(entries)
  }),
)
