/**
 * Spans by hand, exported through the OpenTelemetry SDK, which is loaded only when tracing is on. Off, a span is one
 * comparison. Sampling, exporter and limits come from the standard `OTEL_*` variables, which the SDK reads.
 */
import type { Attributes, Span, SpanKind, Tracer } from '@opentelemetry/api'
import { runInSpan } from './context.ts'
import type { Logger } from './logging.ts'
import { redactText } from './redaction.ts'
import type { TraceParent } from './trace-context.ts'

type Api = typeof import('@opentelemetry/api')
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** With its collector away the SDK needs eight seconds to give up; a shutdown does not wait that long. */
const SHUTDOWN_MS_MAX = 2_000

// Process-wide like the SDK's own registration: pure layers open spans without being handed a tracer.
let active: { api: Api; tracer: Tracer } | undefined

export interface TracingOptions {
  /** Whether the standard variables ask for tracing. */
  readonly enabled: boolean
  /** Of Guts itself. */
  readonly version: string
  readonly logger: Logger
  /** Instead of the exporters that `OTEL_TRACES_EXPORTER` names. */
  readonly spanProcessors?: import('@opentelemetry/sdk-trace').SpanProcessor[]
}

/** Starts tracing; the answer stops it again: bounded, and never rejecting. */
export async function startTracing(options: TracingOptions): Promise<() => Promise<void>> {
  if (!options.enabled) return async () => {}
  const [api, { startNodeSdk }] = await Promise.all([import('@opentelemetry/api'), import('@opentelemetry/sdk-node')])
  const { logger, spanProcessors } = options
  const sdk = withOurDiagnostics(api, logger, () =>
    startNodeSdk({
      resourceAttributes: { 'service.name': 'guts', 'service.version': options.version },
      // Metrics and logs have their own ways out; the SDK would export both by default.
      metricReaders: [],
      logRecordProcessors: [],
      ...(spanProcessors === undefined ? {} : { spanProcessors }),
    }),
  )
  active = { api, tracer: api.trace.getTracer('guts', options.version) }
  return async () => {
    active = undefined
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, SHUTDOWN_MS_MAX, 'late').unref())
    const outcome = await Promise.race([sdk.shutdown().catch((error: unknown) => ({ error })), late])
    if (outcome !== undefined)
      logger.warn(outcome === 'late' ? {} : { err: outcome.error }, 'Last spans were not exported')
    api.trace.disable()
    api.context.disable()
    api.propagation.disable()
    api.diag.disable()
  }
}

/** Runs `fn` inside a span: log lines inside carry its id, an error ends it as failed. Off, it only runs `fn`. */
export function withSpan<T>(name: string, attributes: SpanAttributes, fn: () => T): T {
  if (active === undefined) return fn()
  const { api, tracer } = active
  const span = tracer.startSpan(name, { attributes: redactAttributes(attributes) })
  return settle(span, api, () => runWithin(api, span, fn))
}

/** Notes a moment in the span around the caller: a retry, a circuit that opened. Off, or outside any span, nothing. */
export function addSpanEvent(name: string, attributes: SpanAttributes): void {
  active?.api.trace.getActiveSpan()?.addEvent(name, redactAttributes(attributes))
}

/** The span of a whole request, which ends with its answer and not with a function. */
export interface RequestSpan extends TraceParent {
  run<T>(fn: () => T): T
  end(name: string, attributes: SpanAttributes, failed: boolean): void
}

/** Opens the span of a request as a child of the caller's, if it named one; `undefined` with tracing off. */
export function startRequestSpan(name: string, parent: TraceParent | undefined): RequestSpan | undefined {
  if (active === undefined) return undefined
  const { api, tracer } = active
  const remote = parent && {
    traceId: parent.traceId,
    spanId: parent.spanId,
    isRemote: true,
    traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
  }
  const around = remote === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, remote)
  const SERVER: SpanKind = api.SpanKind.SERVER
  const span = tracer.startSpan(name, { kind: SERVER }, around)
  return {
    ...idsOf(span, api),
    run: (fn) => api.context.with(api.trace.setSpan(around, span), fn),
    end(finalName, attributes, failed) {
      span.updateName(finalName)
      span.setAttributes(redactAttributes(attributes))
      if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end()
    },
  }
}

function runWithin<T>(api: Api, span: Span, fn: () => T): T {
  return runInSpan(idsOf(span, api), () => api.context.with(api.trace.setSpan(api.context.active(), span), fn))
}

function settle<T>(span: Span, api: Api, run: () => T): T {
  const fail = (error: unknown): void => {
    const message = redactText(error instanceof Error ? error.message : String(error))
    span.setStatus({ code: api.SpanStatusCode.ERROR, message })
    span.end()
  }
  try {
    const result = run()
    if (!(result instanceof Promise)) {
      span.end()
      return result
    }
    const ended = result.then(
      (value: unknown) => {
        span.end()
        return value
      },
      (error: unknown) => {
        fail(error)
        throw error
      },
    )
    return ended as T
  } catch (error) {
    fail(error)
    throw error
  }
}

function idsOf(span: Span, api: Api): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return { traceId, spanId, sampled: (traceFlags & api.TraceFlags.SAMPLED) !== 0 }
}

function redactAttributes(attributes: SpanAttributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, typeof value === 'string' ? redactText(value) : value]),
  )
}

/** The SDK installs a logger that writes text to the console; our output is JSON lines, so ours stays in its place. */
function withOurDiagnostics<T>(api: Api, logger: Logger, start: () => T): T {
  const { diag } = api
  const say =
    (level: 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (message: string, ...more: unknown[]) =>
      logger[level]({ source: 'opentelemetry', more }, message)
  diag.setLogger(
    { error: say('error'), warn: say('warn'), info: say('debug'), debug: say('debug'), verbose: say('trace') },
    { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  const { setLogger } = diag
  diag.setLogger = () => true
  try {
    return start()
  } finally {
    diag.setLogger = setLogger
  }
}
