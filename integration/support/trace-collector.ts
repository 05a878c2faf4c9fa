/** What a node exports as traces: a collector on the loopback that keeps every request (OTLP over HTTP, as JSON). */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ExportedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Absent for a trace's first span. */
  readonly parentSpanId?: string
  readonly attributes: Readonly<Record<string, unknown>>
}

interface OtlpAttribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ExportedSpan, 'attributes'> & { readonly attributes?: readonly OtlpAttribute[] })[]
    }[]
  }[]
}

/** Enough for every span of a test: the SDK drops what does not fit its queue. */
const QUEUE_SIZE = '100000'

export class TraceCollector implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      this.#bodies.push(Buffer.concat(chunks).toString('utf8'))
      this.#headers.push(request.headers)
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
    })
  })
  readonly #bodies: string[] = []
  readonly #headers: IncomingHttpHeaders[] = []

  static async start(): Promise<TraceCollector> {
    const collector = new TraceCollector()
    const { promise, resolve } = Promise.withResolvers<void>()
    collector.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return collector
  }

  /** For a node that exports everything to here. */
  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo
    return {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_MAX_QUEUE_SIZE: QUEUE_SIZE,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    }
  }

  /** Everything as it came in. */
  get bodies(): readonly string[] {
    return this.#bodies
  }

  get headers(): readonly IncomingHttpHeaders[] {
    return this.#headers
  }

  spans(): ExportedSpan[] {
    const exported = this.#bodies.map((body) => JSON.parse(body) as OtlpTraces)
    const scopes = exported.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans))
    return scopes.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: Object.fromEntries((span.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]])),
      })),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
}
