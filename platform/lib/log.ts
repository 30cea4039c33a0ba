import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

/** JSON lines on stdout, for PM2 to collect. `app` names the PM2 app. */
export const createLogger = (app: string, level: string): Logger =>
  pino({ level, base: { app, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime })
