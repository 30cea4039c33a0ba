import { createExpressMiddleware } from 'agendash'
import express, { type ErrorRequestHandler, type Express } from 'express'
import type { System } from '../platform/runtime/system.js'
import { createAgenda } from './agenda.js'
import { requireAdmin } from './signIn.js'
import { JOBS_COLLECTION } from '../platform/jobs/lateness.js'
import { jobsDatabase } from './store.js'

export interface Dashboard {
  app: Express
  close(): Promise<void>
}

/** agendash, for admins alone. It shows and edits jobs but runs none. */
export async function createDashboard(system: System): Promise<Dashboard> {
  const { log } = system
  const agenda = createAgenda(jobsDatabase(system.databases), {
    name: 'agendash',
    collection: JOBS_COLLECTION,
    log,
  })
  // Without a definition it runs nothing, but agendash asks it how it is.
  await agenda.start()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(requireAdmin(system))
  app.use(createExpressMiddleware(agenda))
  // Express's own handler shows stacks.
  const failed: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, next) => {
    if (response.headersSent) return next(error)
    const status = error.status !== undefined && error.status < 500 ? error.status : 500
    if (status === 500) log.error({ err: error }, 'agendash failed')
    response.status(status).json({ error: status === 500 ? 'Something went wrong on our side.' : 'Bad request.' })
  }
  app.use(failed)
  return { app, close: () => agenda.stop() }
}
