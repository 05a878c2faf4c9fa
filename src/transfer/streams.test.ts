/** What goes out, how long it may stand still, and how it is counted. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RequestError } from '../errors.ts'
import { decodePktLine } from '../git/pkt-line.ts'
import type { Framing } from '../git/protocol/side-band.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { Advertiser, encodeErr } from './advertiser.ts'
import { observeOperation } from './operation.ts'
import { framedBytes } from './pack-framing.ts'
import { sendPack } from './pack-stream.ts'
import { ProgressWatch } from './progress-watch.ts'

const metricsOf = (): Metrics => createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
async function series(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics()
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) && !line.endsWith(' 0'))
}

const NOTHING = { head: Buffer.alloc(0), tail: Buffer.alloc(0) }

describe('a stored pack on its way', () => {
  let folder: string
  let file: FileHandle
  const bytes = Buffer.from(Array.from({ length: 1_700_000 }, (_, at) => (at * 2_654_435_761) >>> 24))
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'guts-stream-'))
    writeFileSync(join(folder, 'pack'), bytes)
    file = await open(join(folder, 'pack'), 'r')
  })
  afterEach(async () => {
    await file.close()
    rmSync(folder, { recursive: true })
  })

  async function sent(size: number, framing: Framing, around = NOTHING): Promise<Buffer> {
    const pieces: Buffer[] = []
    let isSending = false
    await sendPack(
      file,
      () => size,
      { framing, ...around },
      async (piece) => {
        expect(isSending).toBe(false)
        isSending = true
        // The buffer is ours until we say so: what it holds is looked at late.
        await new Promise((resolve) => setImmediate(resolve))
        pieces.push(Buffer.from(piece))
        isSending = false
      },
    )
    return Buffer.concat(pieces)
  }

  const sizes = [1, 994, 995, 996, 65_514, 65_515, 65_516, 512 * 1024, 7 * 65_515, 8 * 65_515 + 1, bytes.length]
  it.each(sizes)('%d bytes arrive in order, in any framing, as many as were announced', async (size) => {
    for (const framing of ['none', 'side-band', 'side-band-64k'] as const) {
      const all = await sent(size, framing)
      expect(all.length).toBe(framedBytes(size, framing))
      const payloads: Buffer[] = []
      for (let rest = framing === 'none' ? Buffer.alloc(0) : all; rest.length > 0;) {
        const step = decodePktLine(rest)
        if (!step.complete || step.line.type !== 'data') throw new Error('A frame is cut')
        expect(step.line.payload[0]).toBe(1)
        expect(step.consumedBytes).toBeLessThanOrEqual(framing === 'side-band' ? 1_000 : 65_520)
        payloads.push(step.line.payload.subarray(1))
        rest = rest.subarray(step.consumedBytes)
      }
      expect((framing === 'none' ? all : Buffer.concat(payloads)).equals(bytes.subarray(0, size))).toBe(true)
    }
  })

  it.each([10, 4_090, 100_000])('what goes before and behind it does so, %d bytes', async (length) => {
    const around = { head: Buffer.alloc(length, 'h'), tail: Buffer.from('tail') }
    for (const size of [1, 65_515, bytes.length]) {
      const bare = await sent(size, 'side-band-64k')
      const all = await sent(size, 'side-band-64k', around)
      expect(all.equals(Buffer.concat([around.head, bare, around.tail]))).toBe(true)
    }
  })

  it('ends with an error where the file became shorter, and with nothing under way', async () => {
    truncateSync(join(folder, 'pack'), 1_000_000)
    let underWay = 0
    const send = async (): Promise<void> => {
      underWay++
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    await expect(sendPack(file, () => bytes.length, { framing: 'side-band-64k', ...NOTHING }, send)).rejects.toThrow(
      'A pack ended after 1000000 bytes',
    )
    expect(underWay).toBe(0)
  })

  it('ends with the reason why nobody takes it any more', async () => {
    let pieces = 0
    const send = async (): Promise<void> => {
      if (++pieces === 2) throw new Error('client left')
    }
    await expect(sendPack(file, () => bytes.length, { framing: 'none', ...NOTHING }, send)).rejects.toThrow(
      'client left',
    )
    expect(pieces).toBe(2)
  })
})

describe('a transfer that stands still', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it("is ended, and counted once; what it would have done later is nobody's news", async () => {
    const metrics = metricsOf()
    const watch = new ProgressWatch(new AbortController().signal, 1_000, metrics)
    const late = Promise.withResolvers<void>()
    const outcome = expect(watch.guard(late.promise)).rejects.toMatchObject({ detail: { code: 'timeout' } })
    vi.advanceTimersByTime(999)
    watch.progress()
    vi.advanceTimersByTime(999)
    expect(watch.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    await outcome
    late.reject(new Error('late'))
    await expect(watch.guard(Promise.resolve(1))).rejects.toMatchObject({ detail: { code: 'timeout' } })
    expect(await series(metrics, 'guts_timeouts_total')).toEqual(['guts_timeouts_total{operation="transfer"} 1'])
  })

  it('may wait for its turn as long as it takes', async () => {
    const watch = new ProgressWatch(new AbortController().signal, 1_000, metricsOf())
    watch.pause()
    vi.advanceTimersByTime(60_000)
    expect(await watch.guard(Promise.resolve('done'))).toBe('done')
    watch.progress()
    vi.advanceTimersByTime(1_000)
    expect(watch.signal.aborted).toBe(true)
  })

  it('is not helped by what moves elsewhere while its client takes something, nor hurried', async () => {
    const watch = new ProgressWatch(new AbortController().signal, 1_000, metricsOf())
    const took = Promise.withResolvers<void>()
    const taken = watch.taken(took.promise)
    watch.progress()
    vi.advanceTimersByTime(60_000)
    expect(watch.signal.aborted).toBe(false)
    took.resolve()
    await taken
    vi.advanceTimersByTime(999)
    expect(watch.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watch.signal.aborted).toBe(true)
  })

  it('ends at once when its client leaves, which is no timeout', async () => {
    const metrics = metricsOf()
    const client = new AbortController()
    const watch = new ProgressWatch(client.signal, 1_000, metrics)
    const outcome = expect(watch.guard(new Promise(() => {}))).rejects.toThrow('client left')
    client.abort(new Error('client left'))
    await outcome
    watch.stop()
    vi.advanceTimersByTime(60_000)
    expect(await series(metrics, 'guts_timeouts_total')).toEqual([])
  })
})

describe('an operation', () => {
  const what = { service: 'git-upload-pack', version: '2' } as const
  const refused = new RequestError({ code: 'payload_too_large' }, 'x')
  it.each([
    { name: 'ok', run: async () => 'ok' as const, result: 'ok' },
    { name: 'refused by a report', run: async () => 'refused' as const, result: 'refused' },
    { name: 'refused by an error', run: () => Promise.reject(refused), result: 'refused' },
    { name: 'too slow', run: () => Promise.reject(new RequestError({ code: 'timeout' }, 'x')), result: 'timeout' },
    {
      name: 'our fault',
      run: () => Promise.reject(new RequestError({ code: 'internal_error' }, 'x')),
      result: 'failed',
    },
    { name: 'nobody knows', run: () => Promise.reject(new Error('x')), result: 'failed' },
  ])('that is $name is counted as $result', async ({ run, result }) => {
    const metrics = metricsOf()
    await observeOperation({ ...what, signal: new AbortController().signal }, metrics, run).catch(() => {})
    expect(await series(metrics, 'guts_git_operations_total')).toEqual([
      `guts_git_operations_total{service="upload_pack",version="2",result="${result}"} 1`,
    ])
  })

  it('whose client left is counted as aborted, and a step of one is not counted', async () => {
    const metrics = metricsOf()
    await observeOperation({ ...what, signal: AbortSignal.abort() }, metrics, () => Promise.reject(refused)).catch(
      () => {},
    )
    await observeOperation({ ...what, signal: AbortSignal.abort() }, metrics, async () => undefined)
    expect(await series(metrics, 'guts_git_operations_total')).toEqual([
      'guts_git_operations_total{service="upload_pack",version="2",result="aborted"} 1',
    ])
  })
})

describe('the listing of refs', () => {
  const snapshotOf = (count: number): RefSnapshot => {
    const refs = Array.from({ length: count }, (_, at) => ({
      name: `refs/heads/${at}`,
      oid: 'a1'.repeat(20),
      peeled: null,
    }))
    return {
      sequence: 1,
      head: 'refs/heads/0',
      headUnborn: false,
      refs,
      byName: new Map(refs.map((ref) => [ref.name, ref])),
    }
  }
  const ask = (...prefixes: string[]) =>
    ({ command: 'ls-refs', peel: false, symrefs: false, unborn: false, prefixes }) as const

  it('is made once for each question and state, and for no two alike', () => {
    const advertiser = new Advertiser({ agent: 'guts/1', sessionId: 'one' }, 100)
    const [one, two] = [snapshotOf(3), snapshotOf(3)]
    expect(advertiser.advertise('git-upload-pack', '0', one)).toBe(advertiser.advertise('git-upload-pack', '0', one))
    const answers = [
      advertiser.advertise('git-upload-pack', '0', one),
      advertiser.advertise('git-upload-pack', '1', one),
      advertiser.advertise('git-receive-pack', '0', one),
      advertiser.lsRefs(ask(), one),
      advertiser.lsRefs(ask('a b'), one),
      advertiser.lsRefs(ask('a', 'b'), one),
      advertiser.lsRefs({ ...ask(), peel: true }, one),
      advertiser.lsRefs(ask(), two),
    ]
    expect(new Set(answers).size).toBe(answers.length)
    expect(advertiser.lsRefs(ask('a', 'b'), one)).toBe(answers[5])
  })

  it('keeps few answers, and none to a long question', () => {
    const advertiser = new Advertiser({ agent: 'guts/1', sessionId: 'one' }, 100)
    const snapshot = snapshotOf(1)
    const long = ask('x'.repeat(1_000))
    expect(advertiser.lsRefs(long, snapshot)).not.toBe(advertiser.lsRefs(long, snapshot))
    const first = advertiser.lsRefs(ask('0'), snapshot)
    for (let number = 1; number < 16; number++) advertiser.lsRefs(ask(String(number)), snapshot)
    expect(advertiser.lsRefs(ask('0'), snapshot)).toBe(first)
    expect(advertiser.lsRefs(ask('16'), snapshot)).not.toBe(advertiser.lsRefs(ask('16'), snapshot))
  })

  it('is refused beyond its limit, by name and number', () => {
    const advertiser = new Advertiser({ agent: 'guts/1', sessionId: 'one' }, 3)
    advertiser.advertise('git-upload-pack', '0', snapshotOf(3))
    const over = { detail: { code: 'over_limit', limit: 'max_advertised_refs', limitValue: 3 } }
    for (const list of [
      () => advertiser.advertise('git-receive-pack', '1', snapshotOf(4)),
      () => advertiser.lsRefs(ask(), snapshotOf(4)),
    ]) {
      expect(list).toThrow(expect.objectContaining(over))
    }
  })

  it('says an error in one line', () => {
    expect(encodeErr('no').toString()).toBe('000bERR no\n')
  })
})
