/** Runs in k6: one request, entered in the client's own ledger. */
import { check } from 'k6'
import exec from 'k6/execution'
import http, { type RefinedResponse } from 'k6/http'
import { Counter } from 'k6/metrics'
import type { Options } from 'k6/options'
import type { LoadPlan } from '../plan.ts'
import { CLIENT_METRICS } from './metrics.ts'

export const plan = JSON.parse(open(__ENV['LOAD_PLAN'] ?? '')) as LoadPlan

const requestBytes = new Counter(CLIENT_METRICS.requestBytes)
const responseBytes = new Counter(CLIENT_METRICS.responseBytes)

export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'HEAD'
  readonly path: string
  /** As the node calls it in its metrics. */
  readonly route: string
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: ArrayBuffer
}

export type ClientResponse = RefinedResponse<'binary'>

export function ask({ method, path, route, status, headers = {}, body }: ClientRequest): ClientResponse {
  // k6 asks for no compression, so the body's bytes are those on the wire.
  const response = http.request(method, `${plan.baseUrl}${path}`, body ?? null, {
    headers: { ...headers },
    responseType: 'binary',
    redirects: 0,
    tags: { name: route },
    responseCallback: http.expectedStatuses(status),
  })
  const tags = { method, name: route }
  requestBytes.add(body === undefined ? 0 : body.byteLength, tags)
  responseBytes.add(bodyOf(response).length, tags)
  check(response, { [`${method} ${route} is answered with ${status}`]: ({ status: found }) => found === status })
  return response
}

export function bodyOf({ body }: ClientResponse): Uint8Array {
  return new Uint8Array(body ?? new ArrayBuffer(0))
}

/** An iteration as k6 runs it: one that throws fails a check, where k6 itself would go on as if nothing had been. */
export function iteration(body: () => void): () => void {
  return () => {
    let failure: unknown
    try {
      body()
    } catch (error) {
      failure = error
      console.error(String(error))
    }
    check(failure, { 'the iteration goes on to its end': (found) => found === undefined })
  }
}

/** The same choice for the same iteration of every run with this seed, whichever client makes it. */
export function pick<T>(items: readonly T[], salt = 0): T {
  let mixed = Math.imul(plan.seed ^ (exec.scenario.iterationInTest * 7_919 + salt), 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b)
  const item = items[(mixed >>> 8) % items.length]
  if (item === undefined) throw new RangeError('Nothing to pick from')
  return item
}

/** Few, as long as the node is quick: each is an interpreter of its own, on the cores that the node needs. */
const CLIENTS = 10
const CLIENTS_MAX = 100

/**
 * Iterations begin at this rate, however long they take: a slow node gets no fewer of them.
 * @param thresholds beyond those that every script has
 */
export function optionsFor(perS: number, thresholds: Readonly<Record<string, string[]>>): Options {
  return {
    scenarios: {
      steady: {
        executor: 'constant-arrival-rate',
        rate: perS,
        timeUnit: '1s',
        duration: `${plan.seconds}s`,
        preAllocatedVUs: CLIENTS,
        maxVUs: CLIENTS_MAX,
        // A request that is cut off is in nobody's ledger alike.
        gracefulStop: '60s',
      },
    },
    summaryTrendStats: ['min', 'med', 'p(95)', 'max'],
    thresholds: {
      checks: ['rate==1'],
      http_req_failed: ['rate==0'],
      // The rate was kept, but for turns in which the client itself had no core.
      dropped_iterations: [`rate<${perS / 10}`],
      ...thresholds,
    },
  }
}
