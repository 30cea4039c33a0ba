import { isRefusal } from '@holdfast/client'
import type { Kitchen } from './kitchen.js'

/** Change what others change, too: a stale version is refused, and `update` starts over from the newest. */
export default async function ({ admin }: Kitchen): Promise<void> {
  const car = await admin.createCar({ name: 'Van', pricePerHour: 2000 })
  await admin.updateCar({ carId: car.id, version: car.version, set: { pricePerHour: 2100 } })
  try {
    await admin.updateCar({ carId: car.id, version: car.version, set: { pricePerHour: 2200 } })
  } catch (error) {
    if (!isRefusal(error, 'updateCar')) throw error
    console.log(error.code, error.details?.['version']) // version_conflict 1
  }
  const raise = (): Promise<unknown> =>
    admin.update({ carId: car.id }, (newest) => ({ pricePerHour: newest.pricePerHour + 100 }))
  await Promise.all([raise(), raise(), raise()])
  console.log((await admin.getCar({ carId: car.id })).pricePerHour) // 2400
}
