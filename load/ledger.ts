/** The client's side of the books: what k6 measured of each request, by method and route. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { CLIENT_METRICS } from './k6/metrics.ts'

export interface RouteEntry {
  readonly method: string
  readonly route: string
  /** By status; `0` is a request that got no answer. */
  readonly statuses: Map<string, number>
  requestBytes: number
  responseBytes: number
  /** One for each request, in milliseconds. */
  readonly durationsMs: number[]
}

export interface Ledger {
  readonly entries: readonly RouteEntry[]
  /** Refs whose pushes were acknowledged. */
  readonly acknowledgedRefs: readonly string[]
}

/** A line of k6's JSON output; others than points declare metrics. */
interface Line {
  readonly type: string
  readonly metric: string
  readonly data: { readonly value: number; readonly tags?: Readonly<Record<string, string>> }
}

/** Adds up the points of a k6 run. */
export class LedgerBuilder {
  readonly #entries = new Map<string, RouteEntry>()
  readonly #acknowledgedRefs: string[] = []

  add({ type, metric, data }: Line): void {
    if (type !== 'Point') return
    const { value, tags = {} } = data
    if (metric === 'http_reqs') {
      const { statuses } = this.#entry(tags)
      const status = tags['status'] ?? '0'
      statuses.set(status, (statuses.get(status) ?? 0) + value)
    } else if (metric === 'http_req_duration') this.#entry(tags).durationsMs.push(value)
    else if (metric === CLIENT_METRICS.requestBytes) this.#entry(tags).requestBytes += value
    else if (metric === CLIENT_METRICS.responseBytes) this.#entry(tags).responseBytes += value
    else if (metric === CLIENT_METRICS.acknowledged) this.#acknowledgedRefs.push(tags['ref'] ?? '')
  }

  build(): Ledger {
    const byName = (a: RouteEntry, b: RouteEntry): number => keyOfEntry(a).localeCompare(keyOfEntry(b))
    return { entries: [...this.#entries.values()].sort(byName), acknowledgedRefs: this.#acknowledgedRefs }
  }

  #entry({ method = '', name: route = '' }: Readonly<Record<string, string>>): RouteEntry {
    const key = keyOfEntry({ method, route })
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { method, route, statuses: new Map(), requestBytes: 0, responseBytes: 0, durationsMs: [] }
      this.#entries.set(key, entry)
    }
    return entry
  }
}

/** `GET /api/repos` */
export const keyOfEntry = ({ method, route }: Pick<RouteEntry, 'method' | 'route'>): string => `${method} ${route}`

/** @param file k6's `--out json=FILE` */
export async function readLedger(file: string): Promise<Ledger> {
  const builder = new LedgerBuilder()
  for await (const line of createInterface({ input: createReadStream(file) })) builder.add(JSON.parse(line) as Line)
  return builder.build()
}
