import test from 'ava'
import pino from 'pino'
import { loadConfig } from '../../../config/index.js'
import { createSystem } from '../../../platform/runtime/system.js'
import type { Hearer, Transport } from '../../../platform/runtime/transport.js'

test('what is told here or elsewhere is heard once by each who hears, and elsewhere what is told here', async (t) => {
  const elsewhere: Hearer[] = []
  const told: unknown[] = []
  const transport = {
    tell: (hint: unknown) => void told.push(hint),
    hear: (hearer: Hearer) => void elsewhere.push(hearer),
    close: () => {},
  } as unknown as Transport
  const log = pino({ level: 'silent' })
  const system = createSystem({ config: loadConfig({}), log, functions: [], transport })

  system.tell('nobody hears')
  t.is(elsewhere.length, 0, 'a process that hears nothing is told nothing')
  const hears = [[], []] as [unknown[], unknown[]]
  for (const each of hears) {
    system.hear({ told: (hint) => void each.push(hint), connected: () => void each.push('connected') })
  }
  system.tell('here')
  for (const { told, connected } of elsewhere) {
    connected()
    told('elsewhere')
  }
  for (const each of hears) t.deepEqual(each, ['connected', 'here', 'connected', 'elsewhere'])
  t.deepEqual(told, ['nobody hears', 'here'])
  await system.close()
})
