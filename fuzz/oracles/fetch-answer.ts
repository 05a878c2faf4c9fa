/** Reads what a fetch is answered, as gitprotocol-pack and gitprotocol-v2 have it. */
import assert from 'node:assert/strict'
import { decodePktLine } from '../../src/git/pkt-line.ts'

export interface FetchAnswer {
  /** Why nothing comes. */
  readonly error: string | undefined
  readonly acknowledged: readonly string[]
  readonly shallow: readonly string[]
  readonly unshallow: readonly string[]
  /** Name → what it points to. */
  readonly wantedRefs: ReadonlyMap<string, string>
  /** undefined: none follows */
  readonly pack: Buffer | undefined
}

export interface FetchFraming {
  readonly isV2: boolean
  /** undefined: the pack stands there as it is */
  readonly bandBytesMax: number | undefined
  readonly sidebandAll: boolean
}

const SECTIONS = ['acknowledgments', 'shallow-info', 'wanted-refs', 'packfile']

/** @throws AssertionError where it is no answer */
export function readFetchAnswer(answer: Buffer, framing: FetchFraming): FetchAnswer {
  return new AnswerReader(framing).read(answer)
}

class AnswerReader {
  readonly #framing: FetchFraming
  readonly #acknowledged: string[] = []
  readonly #shallow: string[] = []
  readonly #unshallow: string[] = []
  readonly #wantedRefs = new Map<string, string>()
  readonly #banded: Buffer[] = []
  /** Of version 2: each comes once, in the order of SECTIONS. */
  #section = ''
  #error: string | undefined
  #pack: Buffer | undefined

  constructor(framing: FetchFraming) {
    this.#framing = framing
  }

  read(answer: Buffer): FetchAnswer {
    let last = 'nothing'
    for (let rest = answer; rest.length > 0;) {
      if (rest.toString('latin1', 0, 4) === 'PACK') {
        assert.equal(this.#framing.bandBytesMax, undefined, 'a pack stands outside of its band')
        this.#pack = rest
        break
      }
      const step = decodePktLine(rest)
      assert(step.complete, 'an answer ends within a line')
      last = step.line.type
      if (step.line.type === 'data') this.#take(step.line.payload)
      rest = rest.subarray(step.consumedBytes)
    }
    if (this.#banded.length > 0) {
      assert.equal(last, 'flush', 'bands end with a flush')
      this.#pack = Buffer.concat(this.#banded)
    }
    const [acknowledged, shallow, unshallow] = [this.#acknowledged, this.#shallow, this.#unshallow]
    return { error: this.#error, acknowledged, shallow, unshallow, wantedRefs: this.#wantedRefs, pack: this.#pack }
  }

  #take(payload: Buffer): void {
    const { bandBytesMax, sidebandAll } = this.#framing
    const band = payload[0] ?? 0
    const isBand = band >= 1 && band <= 3
    if (sidebandAll) assert(isBand, 'a line stands outside of its band')
    if (!isBand) return this.#text(payload)
    assert(payload.length + 4 <= (bandBytesMax ?? 0), 'a frame is longer than the client reads, or nobody asked for it')
    const content = payload.subarray(1)
    if (band === 3) this.#error = content.toString()
    else if (band === 1 && sidebandAll && this.#section !== 'packfile') this.#text(content)
    else if (band === 1) this.#banded.push(content)
  }

  #text(payload: Buffer): void {
    const text = payload.toString().replace(/\n$/, '')
    const [, word = '', value = ''] = /^(\w+) (.*)$/s.exec(text) ?? []
    const [oid = '', name = ''] = value.split(' ')
    if (word === 'ERR') this.#error = value
    else if (word === 'ACK') this.#acknowledged.push(oid)
    else if (word === 'shallow') this.#shallow.push(value)
    else if (word === 'unshallow') this.#unshallow.push(value)
    else if (this.#framing.isV2 && SECTIONS.includes(text)) {
      assert(SECTIONS.indexOf(text) > SECTIONS.indexOf(this.#section), `the section ${text} comes after its place`)
      this.#section = text
    } else if (this.#section === 'wanted-refs') this.#wantedRefs.set(value, word)
    else assert(['NAK', 'ready'].includes(text) && name === '', `a fetch is answered ${text}`)
  }
}
