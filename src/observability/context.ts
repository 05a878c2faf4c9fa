/**
 * What the code runs for: the ids that every log line and span carries (DESIGN §4.6), and the costs an access line
 * reports. Kept in `AsyncLocalStorage`. Listeners of sockets and streams run where the event is emitted, not where they
 * were added: wrap them with `bindContext`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUIDv7 } from 'node:crypto'
import { formatTraceparent, newSpanId, newTraceId } from './trace-context.ts'

export interface OperationContext {
  /** A UUID: of the request, or of the operation that no request started. */
  readonly requestId: string
  readonly traceId: string
  readonly spanId?: string | undefined
  /** Whether the trace is recorded; passed on in `traceparent`. */
  readonly sampled?: boolean | undefined
  readonly userId?: string | undefined
  /** `owner/name`. */
  readonly repository?: string | undefined
  /** Names work that no request started: `boot`, `maintenance` … */
  readonly operation?: string | undefined
}

/** Costs that only a lower layer knows, for the request's access line. */
export type AccessFields = Record<string, string | number | boolean>

type Subject = { userId?: string | undefined; repository?: string | undefined }

/** Spans nest, but whom and what the work is for, and its costs, belong to all of it: those two are shared. */
interface Frame {
  readonly ids: Pick<OperationContext, 'requestId' | 'traceId' | 'spanId' | 'sampled' | 'operation'>
  readonly subject: Subject
  readonly access: AccessFields
}

const storage = new AsyncLocalStorage<Frame>()

export function runInContext<T>(context: OperationContext, fn: () => T): T {
  const { userId, repository, ...ids } = context
  return storage.run({ ids, subject: { userId, repository }, access: {} }, fn)
}

/** Runs `fn` as a part of the current work, under a span of its own. Outside any work it only runs `fn`. */
export function runInSpan<T>(span: { traceId: string; spanId: string; sampled: boolean }, fn: () => T): T {
  const frame = storage.getStore()
  if (frame === undefined) return fn()
  return storage.run({ ...frame, ids: { ...frame.ids, ...span } }, fn)
}

export function currentContext(): OperationContext | undefined {
  const frame = storage.getStore()
  return frame === undefined ? undefined : { ...frame.ids, ...frame.subject }
}

/** From here on every line of the current work names this user or repository, also those of the spans around it. */
export function annotateContext(subject: { userId?: string; repository?: string }): void {
  const frame = storage.getStore()
  if (frame !== undefined) Object.assign(frame.subject, subject)
}

/** Adds fields to the access line of the current request; without one, does nothing. */
export function addAccessFields(fields: AccessFields): void {
  const frame = storage.getStore()
  if (frame !== undefined) Object.assign(frame.access, fields)
}

/** Adds time spent in a queue; a request may wait in more than one. */
export function addQueueTime(queueMs: number): void {
  const frame = storage.getStore()
  if (frame !== undefined) frame.access['queue_ms'] = Number(frame.access['queue_ms'] ?? 0) + queueMs
}

export function accessFields(): Readonly<AccessFields> {
  return storage.getStore()?.access ?? {}
}

/** Work that no request started (boot, replication, maintenance); its id stands where a request's would. */
export function newOperation(operation: string): OperationContext {
  return { requestId: randomUUIDv7(), traceId: newTraceId(), spanId: newSpanId(), sampled: false, operation }
}

/** `fn` as it will run in the context of now, whoever calls it; of our context alone, which `AsyncLocalStorage.bind` is not. */
export function bindContext<Args extends unknown[], Result>(fn: (...args: Args) => Result): (...args: Args) => Result {
  const frame = storage.getStore()
  return (...args) => storage.run(frame as Frame, fn, ...args)
}

/** The header that continues the current trace elsewhere. */
export function currentTraceparent(): string | undefined {
  const ids = storage.getStore()?.ids
  if (ids?.spanId === undefined) return undefined
  return formatTraceparent({ traceId: ids.traceId, spanId: ids.spanId, sampled: ids.sampled ?? false })
}
