import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createTransport } from 'nodemailer'
import { Refusal } from '../../platform/contract/errors.js'
import type { System } from '../../platform/runtime/system.js'

export interface Mail {
  to: string
  subject: string
  text: string
}

/** Answers when somebody has taken the mail over: the SMTP server, or in development the log and a file. */
export type SendMail = (mail: Mail) => Promise<void>

/** A look at a server that does not answer must end before recovery takes the mail again. */
const TIMEOUT_MS = 10_000

/** null: there is neither. */
export function mailer({ config, log }: Pick<System, 'config' | 'log'>): SendMail | null {
  const { smtpUrl, file, from } = config.mail
  if (smtpUrl !== '') {
    const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS }
    // Text of ours alone: no mail may make it read a file or a page.
    const safely = { disableFileAccess: true, disableUrlAccess: true }
    const transport = createTransport({ url: smtpUrl, ...timeouts, ...safely })
    return async (mail) => void (await transport.sendMail({ ...mail, from }))
  }
  if (file === '') return null
  return async ({ to, subject, text }) => {
    log.info({ to, subject, text }, 'a mail, as SMTP_URL is not set')
    await mkdir(dirname(file), { recursive: true })
    await appendFile(file, `From: ${from}\nTo: ${to}\nSubject: ${subject}\n\n${text}\n\n`, { mode: 0o600 })
  }
}

export function requireMailer(system: Pick<System, 'use'>): SendMail {
  const send = system.use(mailer)
  if (!send) throw new Refusal('mail_unavailable', 'Mails are not set up here.')
  return send
}

/** The server knows the address, and takes nothing for it, however often one comes. */
export const isRefusedAddress = (error: unknown): boolean => {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  return code === 'EENVELOPE' && typeof responseCode === 'number' && responseCode >= 550
}
