/** How much of history and of its objects a fetch wants; the lines are the same in all versions (gitprotocol-pack). */
import { INFINITE_DEPTH } from '../object-graph/deepen.ts'
import { NO_FILTER, type ObjectFilter } from '../object-graph/filter.ts'
import { parseOid } from './capabilities.ts'
import { overLimit, ProtocolError, unexpectedLine } from './error.ts'
import { parseFilterSpec } from './filter-spec.ts'

/** As `Deepening`, with the refs still by their names. */
export interface DeepenRequest {
  readonly depth: number | undefined
  readonly relative: boolean
  /** Seconds since 1970. */
  readonly sinceS: number | undefined
  /** Names of refs, or ends of them, as a person would write them. */
  readonly not: readonly string[]
}

export interface HistoryRequest {
  /** Commits at which the client's history ends, 40 hex digits each. */
  readonly shallows: readonly string[]
  /** undefined: the client's history is to end where it does */
  readonly deepen: DeepenRequest | undefined
  readonly filter: ObjectFilter
}

export interface HistoryLimits {
  readonly wantsMax: number
  readonly havesMax: number
}

/** Takes these lines among the others of a request. */
export class HistoryArguments {
  readonly #limits: HistoryLimits
  readonly #shallows: string[] = []
  readonly #not: string[] = []
  #depth: number | undefined
  #sinceS: number | undefined
  #filter: ObjectFilter | undefined

  constructor(limits: HistoryLimits) {
    this.#limits = limits
  }

  /** @returns whether it is a line of ours. @throws ProtocolError */
  take(text: string): boolean {
    const { wantsMax, havesMax } = this.#limits
    const [, name, value = ''] = /^(shallow|deepen|deepen-since|deepen-not|filter) (.*)$/s.exec(text) ?? []
    switch (name) {
      case 'shallow':
        if (this.#shallows.length >= havesMax) throw overLimit('shallow commits', 'max_haves', havesMax)
        this.#shallows.push(parseOid(value))
        return true
      case 'deepen':
        this.#depth = Math.min(INFINITE_DEPTH, parseWhole(value, 'a depth'))
        return true
      case 'deepen-since':
        this.#sinceS = parseWhole(value, 'a time in seconds since 1970')
        return true
      case 'deepen-not':
        if (this.#not.length >= wantsMax) throw overLimit('refs to leave out', 'max_wants', wantsMax)
        this.#not.push(value)
        return true
      case 'filter':
        // C git takes no two either: which one counts, or both, a client says by `combine:`.
        if (this.#filter !== undefined) throw unexpectedLine('one filter')
        this.#filter = parseFilterSpec(value)
        return true
      default:
        return false
    }
  }

  /** @param relative the client said `deepen-relative` */
  request(relative: boolean): HistoryRequest {
    const [depth, sinceS, not] = [this.#depth, this.#sinceS, this.#not]
    const isDeepening = depth !== undefined || sinceS !== undefined || not.length > 0
    const deepen = isDeepening ? { depth, relative, sinceS, not } : undefined
    return { shallows: this.#shallows, deepen, filter: this.#filter ?? NO_FILTER }
  }
}

/** @throws ProtocolError history_refused: by depth and otherwise at once */
export function assertOneWay({ depth, sinceS, not }: DeepenRequest): void {
  if (depth === undefined || (sinceS === undefined && not.length === 0)) return
  throw new ProtocolError(
    { code: 'history_refused' },
    'deepen and deepen-since (or deepen-not) cannot be used together',
  )
}

function parseWhole(text: string, what: string): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
  if (value === 0) throw unexpectedLine(what)
  return value
}
