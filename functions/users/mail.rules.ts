import type { Mail } from './mail.remote.js'
import type { MailKind } from './mail.model.js'

/** How long the token of a mail works. */
export const MAIL_TOKEN_TTL_MS = 3_600_000
const FIRST_WAIT_MS = 60_000

/**
 * Until the next mail of a kind to an address. Never longer than a token works: whoever has strangers ask in their name
 * finds one in their mailbox that does.
 */
export const mailWaitMs = (inARow: number): number =>
  Math.min(MAIL_TOKEN_TTL_MS, FIRST_WAIT_MS * 2 ** Math.min(inARow - 1, 30))

const WORDS: Record<MailKind, { subject: string; asked: string; todo: string; key: string; otherwise: string }> = {
  reset_password: {
    subject: 'Set a new password',
    asked: 'Somebody, probably you, forgot the password of the account with this e-mail address.',
    todo: 'Set a new one within an hour',
    key: 'resetPassword',
    otherwise: 'your password stays as it is',
  },
  confirm_email: {
    subject: 'Confirm your e-mail address',
    asked: 'Somebody, probably you, wants this to be the e-mail address of their account.',
    todo: 'Confirm it within an hour',
    key: 'confirmEmail',
    otherwise: 'nothing changes',
  },
}

/** Nothing in it is of whoever asked for it: it is no way to send others what one likes. */
export function wordsOf(kind: MailKind, to: string, token: string, accountPageUrl: string): Mail {
  const { subject, asked, todo, key, otherwise } = WORDS[kind]
  // Behind the #, which no server is sent, nor any page that this one links to.
  const how = accountPageUrl === '' ? `with this token:\n\n${token}` : `here:\n\n${accountPageUrl}#${key}=${token}`
  return { to, subject, text: `${asked}\n\n${todo} ${how}\n\nIf it was not you, do nothing: ${otherwise}.` }
}
