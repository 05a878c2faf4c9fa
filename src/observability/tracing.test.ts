import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { currentContext, currentTraceparent, newOperation, runInContext } from './context.ts'
import { createLogger, type Logging } from './logging.ts'
import { addSpanEvent, startRequestSpan, startTracing, withSpan } from './tracing.ts'

let finished: ReadableSpan[] = []
const collecting = {
  onStart() {},
  onEnd: (span: ReadableSpan) => void finished.push(span),
  forceFlush: async () => {},
  shutdown: async () => {},
}
let logging: Logging
let directory: string
let destination: number
let stop = async (): Promise<void> => {}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'guts-trace-'))
  destination = openSync(join(directory, 'log'), 'a')
  logging = createLogger({ level: 'trace', format: 'json', destination })
})

afterEach(async () => {
  await stop()
  stop = async () => {}
  await logging.flush()
  closeSync(destination)
  rmSync(directory, { recursive: true })
  finished = []
})

async function start(enabled = true): Promise<void> {
  stop = await startTracing({ enabled, version: '1.2.3', logger: logging.logger, spanProcessors: [collecting] })
}

describe('tracing off', () => {
  it('runs the function and nothing else', async () => {
    await start(false)
    expect(startRequestSpan('request', undefined)).toBeUndefined()
    const context = newOperation('x')
    expect(runInContext(context, () => withSpan('inner', {}, () => currentContext()?.spanId))).toBe(context.spanId)
    addSpanEvent('retry', { attempt: 2 })
    expect(finished).toEqual([])
  })
})

describe('tracing on', () => {
  it('notes events in the span around them, without secrets, and nowhere when there is none', async () => {
    await start()
    addSpanEvent('lost', {})
    await withSpan('outer', {}, async () => {
      withSpan('inner', {}, () => addSpanEvent('retry', { attempt: 2, why: 'token=abcdefgh' }))
      await Promise.resolve()
      addSpanEvent('timeout', {})
    })
    const events = finished.map(({ name, events: of }) => [name, ...of.map((event) => [event.name, event.attributes])])
    expect(events).toEqual([
      ['inner', ['retry', { attempt: 2, why: 'token=[redacted]' }]],
      ['outer', ['timeout', {}]],
    ])
  })

  it('nests spans under the caller, puts their ids in the context and ends them', async () => {
    await start()
    const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true }
    const request = startRequestSpan('request', parent)
    const inside = await request?.run(() =>
      runInContext({ ...newOperation('x'), ...request }, () =>
        withSpan('git.fetch', { objects: 3 }, async () => {
          await Promise.resolve()
          return withSpan('storage.read', {}, () => ({ context: currentContext(), out: currentTraceparent() }))
        }),
      ),
    )
    request?.end('GET /git', { status: 200 }, false)
    const [read, fetched, root] = finished
    expect([read?.name, fetched?.name, root?.name]).toEqual(['storage.read', 'git.fetch', 'GET /git'])
    expect(root?.parentSpanContext?.spanId).toBe(parent.spanId)
    expect(fetched?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId)
    expect(read?.parentSpanContext?.spanId).toBe(fetched?.spanContext().spanId)
    expect(inside?.context).toMatchObject({ traceId: parent.traceId, spanId: read?.spanContext().spanId })
    expect(inside?.out).toBe(`00-${parent.traceId}-${read?.spanContext().spanId}-01`)
    expect(fetched?.attributes).toEqual({ objects: 3 })
    expect(root?.resource.attributes).toMatchObject({ 'service.name': 'guts', 'service.version': '1.2.3' })
  })

  it.each([
    {
      name: 'thrown',
      fail: (error: Error): never => {
        throw error
      },
    },
    { name: 'rejected', fail: (error: Error) => Promise.reject(error) },
  ])('marks a span whose error was $name as failed, without its secrets', async ({ fail }) => {
    await start()
    const error = new Error('Bearer guts_pat_0123456789 was refused')
    await expect(async () => withSpan('x', { url: 'https://a:hunter22@b' }, () => fail(error))).rejects.toBe(error)
    const [span] = finished
    expect(span?.status).toEqual({ code: 2, message: 'Bearer [redacted] was refused' })
    expect(span?.attributes).toEqual({ url: 'https://[redacted]@b' })
  })

  it('lets the SDK complain in JSON lines and nowhere else', () => {
    const [tracing, logs] = ['./tracing.ts', './logging.ts'].map((path) => new URL(path, import.meta.url).href)
    const script = `
      import { startTracing } from '${tracing}'
      import { createLogger } from '${logs}'
      const { logger } = createLogger({ level: 'info', format: 'json' })
      await startTracing({ enabled: true, version: '1', logger, spanProcessors: [] })`
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
      env: { OTEL_PROPAGATORS: 'nonsense' },
    })
    expect(child.stderr).toBe('')
    expect(
      child.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ level: 'warn', source: 'opentelemetry', msg: expect.stringContaining('nonsense') }])
  })

  it('gives up on a collector that is away, and says so', async () => {
    const hanging = { ...collecting, shutdown: () => new Promise<void>(() => {}) }
    stop = await startTracing({ enabled: true, version: '1', logger: logging.logger, spanProcessors: [hanging] })
    await stop()
    await logging.flush()
    expect(readFileSync(join(directory, 'log'), 'utf8')).toContain('Last spans were not exported')
  })
})
