import { beforeEach, describe, expect, it } from 'vitest'
import type { Series } from '../integration/support/metrics.ts'
import { type Reconciliation, reconcile } from './reconcile.ts'
import { tableOf } from './report.ts'
import { type Exchange, ledgerOf, NodeSide, ROUTES } from './testing.ts'

const [LIST = '', PUSH = ''] = ROUTES

const listing: Exchange = {
  method: 'GET',
  route: LIST,
  status: 200,
  requestBytes: 0,
  responseBytes: 1_000,
  durationMs: 40,
}
const refusal: Exchange = { ...listing, status: 422, responseBytes: 150 }
const push: Exchange = {
  method: 'POST',
  route: PUSH,
  status: 200,
  requestBytes: 25_314,
  responseBytes: 62,
  durationMs: 90,
}
const TRAFFIC: readonly Exchange[] = Array.from({ length: 30 }, () => [listing, refusal, push]).flat()

let node: NodeSide
let before: Series

beforeEach(async () => {
  node = new NodeSide()
  // What was there before is nobody's.
  for (const exchange of [push, listing, { ...listing, status: 500 }]) node.count(exchange)
  before = await node.scrape()
})

/** What the client did, against what the node counted of it. */
async function compare(counted: readonly Exchange[], made: readonly Exchange[] = TRAFFIC): Promise<Reconciliation> {
  for (const exchange of counted) node.count(exchange)
  return reconcile(ledgerOf(made), before, await node.scrape())
}

const all = ({ findings }: Reconciliation): string[] => Object.values(findings).flat()

describe('reconcile', () => {
  it('agrees with a node that counts right, whatever watches it', async () => {
    const watching = { ...listing, route: '/metrics', responseBytes: 50_000 }
    const books = await compare([...TRAFFIC, watching, { ...listing, route: '/health/live' }])
    expect(all(books)).toEqual([])
    expect(books.rows.map(({ name }) => name)).toEqual([`GET ${LIST}`, `POST ${PUSH}`])
    expect(tableOf(books)).toMatch(
      /POST \/git.* 200 .* 30 .* 30 .* 759420 .* 759420 .* 1860 .* 1860 .*90\.0 \(50–100\)/,
    )
  })

  const scaled = (exchange: Exchange, by: number): Exchange => ({
    ...exchange,
    responseBytes: exchange.responseBytes * by,
  })

  it.each([
    {
      defect: 'counts 1 % too many bytes out',
      counted: TRAFFIC.map((exchange) => scaled(exchange, 1.01)),
      subject: 'bytes',
      says: `GET ${LIST}: the client got bodies of 34500 bytes, the node counted 34845`,
    },
    {
      defect: 'counts one byte in too few',
      counted: [...TRAFFIC.slice(0, -1), { ...push, requestBytes: 25_313 }],
      subject: 'bytes',
      says: `POST ${PUSH}: the client sent bodies of 759420 bytes, the node counted 759419`,
    },
    {
      defect: 'misses one request',
      counted: TRAFFIC.slice(0, -1),
      subject: 'requests',
      says: `POST ${PUSH}: the client got 200 30 times, the node counted 29`,
    },
    {
      defect: 'counts one request under another status',
      counted: [...TRAFFIC.slice(0, -1), { ...push, status: 500 }],
      subject: 'requests',
      says: `POST ${PUSH}: the client got 500 0 times, the node counted 1`,
    },
    {
      defect: 'counts one that nobody made',
      counted: [...TRAFFIC, { ...push, route: LIST }],
      subject: 'requests',
      says: `POST ${LIST}: the client got 200 0 times, the node counted 1`,
    },
    {
      defect: 'says milliseconds where it means seconds',
      counted: TRAFFIC.map((exchange) => ({ ...exchange, durationMs: exchange.durationMs * 1_000 })),
      subject: 'latency',
      says: `GET ${LIST}: the 50 % quantile was 40.0 ms for the client, from 30000 to 60000 at the node`,
    },
    {
      defect: 'has a tail that no client saw',
      counted: TRAFFIC.map((exchange, at) => ({ ...exchange, durationMs: at < 9 ? 3_000 : exchange.durationMs })),
      subject: 'latency',
      says: `POST ${PUSH}: the 95 % quantile was 90.0 ms for the client, from 2500 to 5000 at the node`,
    },
    {
      defect: 'takes its clock from the last byte in',
      counted: TRAFFIC.map((exchange) => ({ ...exchange, durationMs: 1 })),
      subject: 'latency',
      says: `POST ${PUSH}: the 50 % quantile was 90.0 ms for the client, from 0 to 1 at the node`,
    },
  ] as const)('finds out a node that $defect', async ({ counted, subject, says }) => {
    expect((await compare(counted)).findings[subject]).toContain(says)
  })

  it('demands that each request has one entry in each histogram', async () => {
    for (const exchange of TRAFFIC) node.count(exchange)
    const after = new Map(await node.scrape())
    const key = `guts_http_request_size_bytes_count{method="POST",path="${PUSH}"}`
    after.set(key, (after.get(key) ?? 0) + 1)
    expect(all(reconcile(ledgerOf(TRAFFIC), before, after))).toEqual([
      `POST ${PUSH}: guts_http_request_size_bytes has 31 of the node's 30 requests`,
    ])
  })

  it('lets a median lie in the next bucket, and no further', async () => {
    const clientSees = (durationMs: number) => TRAFFIC.map((exchange) => ({ ...exchange, durationMs }))
    const counted = TRAFFIC.map((exchange) => ({ ...exchange, durationMs: 20 }))
    expect(all(await compare(counted, clientSees(49)))).toEqual([])
    const after = await node.scrape()
    expect(reconcile(ledgerOf(clientSees(51)), before, after).findings.latency).toHaveLength(2)
    const busyNowAndThen = clientSees(20).map((exchange, at) => ({ ...exchange, durationMs: at < 9 ? 300 : 20 }))
    expect(all(reconcile(ledgerOf(busyNowAndThen), before, after))).toEqual([])
  })

  it('lets no request without an answer pass, and no run without requests', async () => {
    const lost = { ...push, status: 0, responseBytes: 0 }
    const books = await compare(TRAFFIC, [...TRAFFIC, lost])
    expect(books.findings.requests).toContain(`POST ${PUSH}: requests without an answer: 1`)
    expect(reconcile(ledgerOf([]), before, before).findings.requests).toEqual(['The client made no request'])
  })
})
