import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect, isRefusal, newId, type Data, type Token } from '../../src/index.js'

interface Stored {
  url: string
  email: string
  token: string
  refreshToken: string
  /** Of the next refresh: two programs that make it at once make the same one. */
  refreshId: string
}

/** What `sign-in` leaves for later commands of the same program, readable by this user alone. */
export function openSessionFile(program: string) {
  const folder = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
  const path = join(folder, 'holdfast', `${program}.json`)

  function read(): Stored | undefined {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Stored
    } catch {
      return undefined
    }
  }
  function write(stored: Stored): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 })
  }

  return {
    read,
    keep: (url: string, { user, token, refreshToken }: Data<'signIn'>): void =>
      write({ url, email: user.email, token, refreshToken, refreshId: newId() }),
    forget: (): void => rmSync(path, { force: true }),
    /** For `connect`: the token, and when it is refused the next one, by the refresh token. */
    token(url: string): Token | undefined {
      if (read()?.url !== url) return undefined
      return async (refused) => {
        const stored = read()
        if (!stored || !refused) return stored?.token ?? null
        const { refreshToken, refreshId } = stored
        const anonymous = await connect(url)
        try {
          const next = await anonymous.refreshSession({ refreshToken, refreshId })
          write({ ...stored, token: next.token, refreshToken: next.refreshToken, refreshId: newId() })
          return next.token
        } catch (error) {
          if (isRefusal(error, 'refreshSession') && error.code === 'unauthenticated') return null
          throw error
        } finally {
          anonymous.close()
        }
      }
    },
  }
}

export type SessionFile = ReturnType<typeof openSessionFile>
