/** For tests: a real listener on a free port, the lines it logs, and a client that shows raw bytes. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '../observability/logging.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { LoadShedder } from '../resilience/load-shedding.ts'
import { type AppOptions, createApp } from './app.ts'
import type { Authenticate } from './caller.ts'
import { Listener, type ListenerOptions } from './listener.ts'
import { openApiRoute } from './openapi.ts'
import type { Route } from './route.ts'
import { pathsOf } from './route-table.ts'

export const TOKEN = 'guts_pat_Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6l123456'
export const ADMIN_TOKEN = 'guts_pat_zz3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6l123456'

const authenticate: Authenticate = async (token) => {
  if (token === TOKEN) return { userId: 'u-alice', username: 'alice', admin: false, tokenId: 't1' }
  if (token === ADMIN_TOKEN) return { userId: 'u-root', username: 'root', admin: true, tokenId: 't2' }
  return undefined
}

export interface TestServer extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  readonly metrics: Metrics
  readonly listener: Listener
  /** All lines so far; a request's line is written when its connection is done with it. */
  lines(): Promise<Record<string, unknown>[]>
  text(): Promise<string>
  value(series: string): Promise<number>
}

export interface TestOptions<Services> {
  readonly app?: Partial<Omit<AppOptions<Services>, 'guards' | 'services'>>
  readonly guards?: Partial<NonNullable<AppOptions<Services>['guards']>>
  readonly listener?: Partial<ListenerOptions>
}

export async function serve<Services = undefined>(
  routes: readonly Route<Services>[],
  options: TestOptions<Services> = {},
  services?: Services,
): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'guts-http-'))
  const file = join(directory, 'log')
  const destination = openSync(file, 'a')
  const { logger, flush } = createLogger({ level: 'debug', format: 'json', destination })
  const all = [...routes, openApiRoute(routes, '1.2.3')]
  const onCollectError = (error: unknown): void => {
    throw error
  }
  const metrics = createMetrics({ routePaths: pathsOf(all), version: '1.2.3', onCollectError })
  const app = createApp<Services>({
    listener: 'api',
    routes: all,
    // Left out only where the routes want none.
    services: services as Services,
    metrics,
    logger,
    requestTimeoutMs: 20_000,
    requestBytesMax: 2 ** 20,
    jsonBytesMax: 2 ** 20,
    ...options.app,
    guards: {
      authenticate,
      shedder: new LoadShedder(metrics),
      rateLimitPerMinute: 0,
      corsOrigins: [],
      trustedProxies: [],
      ...options.guards,
    },
  })
  const listening = {
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    connectionsMax: 1_000,
    requestTimeoutMs: 20_000,
  } as const
  const listener = new Listener({ ...listening, ...options.listener }, app, metrics)
  const { port } = await listener.start()
  const text = async (): Promise<string> => {
    await flush()
    return readFileSync(file, 'utf8')
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    metrics,
    listener,
    text,
    lines: async () =>
      (await text())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async value(series) {
      const line = (await metrics.registry.metrics()).split('\n').find((found) => found.startsWith(`${series} `))
      return Number(line?.split(' ')[1] ?? 0)
    },
    async [Symbol.asyncDispose]() {
      await listener.stop({ deadlineMs: 0 })
      await flush()
      closeSync(destination)
      rmSync(directory, { recursive: true })
    },
  }
}

/** A client of bytes: sends what it is told and collects what comes. */
export function rawClient(port: number) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => (received += chunk))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // A reset is one way in which a connection ends; the tests look at what came before it.
  socket.on('error', () => {})
  return { socket, closed, send: (text: string) => socket.write(text, 'latin1'), received: () => received }
}
