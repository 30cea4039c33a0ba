import mongoose from 'mongoose'
import { coalesce } from '../../../../platform/lib/coalesce.js'
import { Refusal } from '../../../../platform/contract/errors.js'
import type { System } from '../../../../platform/runtime/system.js'
import { Car, type CarDocument } from './car.model.js'

export type CarTerms = Pick<CarDocument, '_id' | 'pricePerHour' | 'retired'>

/** What a booking needs to know of its car beforehand. Reads asked for together share a round trip. */
export function carTerms(system: System): (carId: string) => Promise<CarTerms | null> {
  return coalesce<string, CarTerms | null>(
    async (carIds) => {
      const ids = [...new Set(carIds)].map((each) => new mongoose.Types.ObjectId(each))
      const cars = await system
        .model(Car)
        .collection.find<CarTerms>({ _id: { $in: ids } } as never, { projection: { pricePerHour: 1, retired: 1 } })
        .toArray()
      const byId = new Map(cars.map((car) => [car._id.toHexString(), car]))
      return carIds.map((each) => byId.get(each) ?? null)
    },
    {
      maxBatch: 256,
      maxInFlight: 2,
      timeoutMs: system.config.deadlinesMs.quick,
      onTimeout: () => new Refusal('unavailable', 'The cars did not answer in time.'),
    },
  )
}
