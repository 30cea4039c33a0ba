import { prepare } from '../client/apps/admin.js'
import { bookAndCancel } from '../client/apps/user.js'
import { loadConfig } from '../config/index.js'
import { command } from './lib/command.js'
import { gatewayUrl, withClient } from './lib/gateway.js'
import { tokenFor } from './lib/operator.js'
import { allDomains } from './lib/places.js'

const USAGE = `npm run demo

An admin's backend app and a user's, each over its own connection to the gateway, book a car before your eyes and take
the booking back. Adds a car and a user to what is there.`

await command(USAGE, {}, async () => {
  const config = loadConfig()
  const url = gatewayUrl(config)
  const token = await tokenFor(config, 'admin', { speaksOf: allDomains() })
  await withClient(config, token, () => Promise.resolve())
  const prepared = await prepare({ url, token, say: teller('admin') })
  await bookAndCancel({ url, ...prepared, say: teller('user') })
})

function teller(who: string): (line: string) => void {
  return (line) => console.log(`${who.padEnd(5)}  ${line}`)
}
