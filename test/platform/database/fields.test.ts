import test from 'ava'
import mongoose from 'mongoose'
import { join } from 'node:path'
import { loadConfig, databaseName } from '../../../config/index.js'
import {
  field,
  listOf,
  maybe,
  orNull,
  recordOf,
  type AnyFields,
  type Field,
} from '../../../platform/database/fields.js'
import type { ModelDefinition } from '../../../platform/database/model.js'
import { progressOf } from '../../../platform/logs/projection.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { filesOf, ROOT } from '../../house/graph.js'
import { sharedMongod } from '../../support/mongod.js'

/** The compiler holds each model's fields against its documents' type; this, against the validator in the database. */

interface Rules {
  bsonType?: string | string[]
  enum?: string[]
  required?: string[]
  properties?: Record<string, Rules>
  items?: Rules
}

/** Agenda writes these collections too, so no validator holds them. */
const UNCHECKED = ['expirations']

const TYPES: Record<string, string> = { int: 'int,long' }

/** In which ways the two say something else. */
function differences(path: string, { bson, nullable, fields, items }: Field<never>, rules: Rules): string[] {
  if (rules.enum) return bson === 'string' ? [] : [`${path}: ${bson} is stored, an enumeration of texts asked for`]
  if (bson === undefined) return []
  const stored = [TYPES[bson] ?? bson, ...(nullable ? ['null'] : [])].join()
  const asked = [rules.bsonType].flat().join()
  // A validator may be stricter about null than a type which all logs share.
  if (stored !== asked && stored !== `${asked},null`) return [`${path}: ${stored} is stored, ${asked} asked for`]
  if (fields && rules.properties) return differencesOf(`${path}.`, fields, rules)
  return items && rules.items ? differences(`${path}[]`, items, rules.items) : []
}

function differencesOf(path: string, fields: AnyFields, { properties = {}, required = [] }: Rules, strict = true) {
  const names = new Set([...Object.keys(fields), ...(strict ? Object.keys(properties) : [])])
  return [...names].flatMap((name): string[] => {
    const [own, rules] = [fields[name], properties[name]]
    if (!own && name === '_id' && rules?.bsonType === 'objectId') return []
    if (!own || !rules) return [`${path}${name}: only the ${own ? 'model' : 'validator'} knows it`]
    // Every document has an _id.
    const isRequired = required.includes(name) || name === '_id'
    const optional = isRequired === !own.optional ? [] : [`${path}${name}: only one of them lets it be missing`]
    return [...optional, ...differences(`${path}${name}`, own, rules)]
  })
}

async function allModels(): Promise<ModelDefinition<unknown>[]> {
  const modules = await Promise.all(
    filesOf('functions', /\.model\.ts$/).map((file) => import(join(ROOT, file)) as Promise<Record<string, unknown>>),
  )
  const exported = modules.flatMap((module) => Object.values(module))
  const isModel = (each: unknown): each is ModelDefinition<unknown> =>
    typeof each === 'object' && each !== null && 'collection' in each && 'fields' in each
  return [...exported.filter(isModel), progressOf('messages') as unknown as ModelDefinition<unknown>]
}

test('a model’s fields are those of the validator that its migration leaves', async (t) => {
  const uri = (await sharedMongod()).uri()
  const client = await new mongoose.mongo.MongoClient(uri).connect()
  t.teardown(() => client.close())
  await migrateUp(
    loadConfig({
      NODE_ENV: 'test',
      MONGODB_URI: uri,
      AUTH_SECRET: 'the secret of tests that signs tokens',
      CLUSTER_SECRET: 'the secret of tests that signs calls',
    }),
  )
  const found = await client
    .db(databaseName(uri))
    .listCollections<{ name: string; options?: { validator?: { $jsonSchema?: Rules } } }>()
    .toArray()
  const validators = new Map(found.map(({ name, options }) => [name, options?.validator?.$jsonSchema]))
  const models = await allModels()
  t.true(models.length > 20)
  const wrong = models
    .filter(({ collection }) => !UNCHECKED.includes(collection))
    .flatMap(({ collection, fields, schema }) =>
      differencesOf(`${collection}.`, fields, validators.get(collection) ?? {}, schema.get('strict') !== false),
    )
  t.deepEqual(wrong, [])
})

test('what would be another document to the validator is seen', (t) => {
  const fields = {
    name: field.text,
    price: field.count,
    ended: maybe(field.date),
    by: orNull(field.id),
    more: recordOf<{ at: Date }>({ at: field.date }),
    ids: listOf(field.id),
  } as AnyFields
  const rules: Rules = {
    required: ['name', 'price', 'ended', 'more', 'ids'],
    properties: {
      name: { enum: ['a'] },
      price: { bsonType: 'long' },
      ended: { bsonType: 'date' },
      by: { bsonType: ['objectId', 'null'] },
      more: { bsonType: 'object', required: ['at'], properties: { at: { bsonType: 'string' } } },
      ids: { bsonType: 'array', items: { bsonType: 'string' } },
      left: { bsonType: 'bool' },
    },
  }
  t.deepEqual(differencesOf('', fields, rules), [
    'price: int,long is stored, long asked for',
    'ended: only one of them lets it be missing',
    'by: only one of them lets it be missing',
    'more.at: date is stored, string asked for',
    'ids[]: objectId is stored, string asked for',
    'left: only the validator knows it',
  ])
})
