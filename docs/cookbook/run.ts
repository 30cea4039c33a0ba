import { closeKitchen, openKitchen, type Kitchen } from './kitchen.js'

const [, , recipe = '', token = ''] = process.argv
const { default: cook } = (await import(`./${recipe}.ts`)) as { default(kitchen: Kitchen): Promise<void> }
const kitchen = await openKitchen(process.env['HOLDFAST_URL'] ?? 'http://127.0.0.1:8080', token)
await cook(kitchen)
closeKitchen(kitchen)
