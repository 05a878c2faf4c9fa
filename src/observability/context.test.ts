import { EventEmitter } from 'node:events'
import { setImmediate as tick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  accessFields,
  addAccessFields,
  addQueueTime,
  annotateContext,
  bindContext,
  currentContext,
  currentTraceparent,
  newOperation,
  runInContext,
  runInSpan,
} from './context.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('context', () => {
  it('keeps interleaved work apart', async () => {
    const seen = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        runInContext(newOperation(`work ${index}`), async () => {
          annotateContext({ userId: `user ${index}` })
          for (let turn = 0; turn < index % 7; turn++) await tick()
          return currentContext()
        }),
      ),
    )
    expect(seen.map((context) => [context?.operation, context?.userId])).toEqual(
      seen.map((_, index) => [`work ${index}`, `user ${index}`]),
    )
    expect(currentContext()).toBeUndefined()
  })

  it('shares subject and costs with the spans inside, but not the span id', () => {
    runInContext(newOperation('push'), () => {
      const outer = currentContext()
      runInSpan({ traceId: TRACE, spanId: SPAN, sampled: true }, () => {
        annotateContext({ repository: 'alice/site' })
        addAccessFields({ objects: 3 })
        addQueueTime(4)
        addQueueTime(5)
        expect(currentContext()).toMatchObject({ requestId: outer?.requestId, traceId: TRACE, spanId: SPAN })
        expect(currentTraceparent()).toBe(`00-${TRACE}-${SPAN}-01`)
      })
      expect(currentContext()).toEqual({ ...outer, repository: 'alice/site' })
      expect(accessFields()).toEqual({ objects: 3, queue_ms: 9 })
    })
  })

  it('follows a bound listener to where the event is emitted', () => {
    const emitter = new EventEmitter()
    let seen: string | undefined
    runInContext(newOperation('bound'), () => {
      emitter.on(
        'close',
        bindContext(() => (seen = currentContext()?.operation)),
      )
    })
    emitter.emit('close')
    expect(seen).toBe('bound')
  })
})

describe('traceparent', () => {
  const valid = { traceId: TRACE, spanId: SPAN, sampled: true }
  it.each([
    { name: 'version 00', header: `00-${TRACE}-${SPAN}-01`, parent: valid },
    { name: 'not sampled', header: `00-${TRACE}-${SPAN}-00`, parent: { ...valid, sampled: false } },
    { name: 'a later version with more fields', header: `01-${TRACE}-${SPAN}-01-more`, parent: valid },
    { name: 'version 00 with more fields', header: `00-${TRACE}-${SPAN}-01-more`, parent: undefined },
    { name: 'version ff', header: `ff-${TRACE}-${SPAN}-01`, parent: undefined },
    { name: 'a trace id of zeros', header: `00-${'0'.repeat(32)}-${SPAN}-01`, parent: undefined },
    { name: 'a span id of zeros', header: `00-${TRACE}-${'0'.repeat(16)}-01`, parent: undefined },
    { name: 'upper case', header: `00-${TRACE.toUpperCase()}-${SPAN}-01`, parent: undefined },
    { name: 'one digit short', header: `00-${TRACE.slice(1)}-${SPAN}-01`, parent: undefined },
    { name: 'nothing', header: undefined, parent: undefined },
  ])('$name', ({ header, parent }) => {
    expect(parseTraceparent(header)).toEqual(parent)
    if (parent !== undefined) expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent)
  })
})
