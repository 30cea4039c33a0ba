import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../proof/support/until.js'
import type { TestSystem } from './system.js'

export interface SentMail {
  to: string
  subject: string
  token: string
}

/** What the system sent so far, oldest first. */
export async function sentMails({ config }: Pick<TestSystem, 'config'>): Promise<SentMail[]> {
  const text = await readFile(join(config.dataDir, 'mails.txt'), 'utf8').catch(() => '')
  return text
    .split(/^From: .*\n/m)
    .slice(1)
    .map((mail) => ({
      to: /^To: (.*)$/m.exec(mail)?.[1] ?? '',
      subject: /^Subject: (.*)$/m.exec(mail)?.[1] ?? '',
      token: /^(?:.*=)?([\w-]+\.[\w-]+\.[\w-]+)$/m.exec(mail)?.[1] ?? '',
    }))
}

/** The nth mail, from 1, once it is there. */
export async function mailOf(system: Pick<TestSystem, 'config'>, nth: number): Promise<SentMail> {
  let found: SentMail | undefined
  await until(async () => (found = (await sentMails(system))[nth - 1]) !== undefined)
  return found as SentMail
}
