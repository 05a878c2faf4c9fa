/**
 * What every middleware costs that the node is made of, without any code of the node: a route of Express, the headers of
 * helmet, a context, two rows of a database, a line by pino, and what prom-client counts for a request. What misses its
 * goal even so is out of reach of these packages in one thread.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUIDv7 } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import express from 'express'
import helmet from 'helmet'
import pino from 'pino'
import { Counter, Histogram, Registry } from 'prom-client'

const BATCH_BYTES = 8_192

/** @param folder where the database is made */
export function withPackages(folder: string, answer: RequestListener): RequestListener {
  const context = new AsyncLocalStorage<{ readonly requestId: string }>()
  const logger = pino(pino.destination({ dest: '/dev/null', sync: false, minLength: BATCH_BYTES }))
  const look = database(join(folder, 'packages.db'))
  const count = metrics()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(helmet())
  app.all('/:name', (request, response) => {
    look()
    answer(request, response)
  })
  return (request, response) => {
    const startedAtMs = performance.now()
    const requestId = randomUUIDv7()
    response.setHeader('X-Request-Id', requestId)
    context.run({ requestId }, () => {
      response.once('close', () => {
        const durationMs = performance.now() - startedAtMs
        const { method, url: path } = request
        const status = response.statusCode
        count({ method: String(method), path: '/:name' }, status, durationMs / 1_000)
        logger.info({ request_id: requestId, method, path, status, duration_ms: durationMs }, 'Request')
      })
      app(request, response)
    })
  }
}

function database(path: string): () => void {
  const opened = new DatabaseSync(path)
  opened.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS rows (name TEXT PRIMARY KEY, value TEXT)')
  opened.exec("INSERT OR IGNORE INTO rows VALUES ('token', 'x'), ('repository', 'x')")
  const statement = opened.prepare('SELECT value FROM rows WHERE name = ?')
  return () => {
    statement.get('token')
    statement.get('repository')
  }
}

function metrics(): (route: { method: string; path: string }, status: number, seconds: number) => void {
  const registers = [new Registry()]
  const labelNames = ['method', 'path'] as const
  const requests = new Counter({ name: 'requests', help: 'r', labelNames: [...labelNames, 'status'], registers })
  const duration = new Histogram({ name: 'duration_seconds', help: 'd', labelNames, registers })
  return (route, status, seconds) => {
    requests.inc({ ...route, status })
    duration.observe(route, seconds)
  }
}
