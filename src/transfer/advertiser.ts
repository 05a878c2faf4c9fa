import { encodeCutLine } from '../git/pkt-line.ts'
import {
  encodeAdvertisement,
  encodeLsRefs,
  encodeV2Advertisement,
  type GitService,
  type Speaker,
} from '../git/protocol/advertisement.ts'
import { overLimit } from '../git/protocol/error.ts'
import type { LsRefsRequest } from '../git/protocol/v2-commands.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/** Answers kept for one state of the refs; more kinds of question than this are asked by nobody. */
const ANSWERS_PER_SNAPSHOT_MAX = 16
const KEY_LENGTH_MAX = 1_000

/** Lists refs, and keeps what it said for as long as the refs stay as they are: a change makes another snapshot. */
export class Advertiser {
  readonly #speaker: Speaker
  readonly #refsMax: number
  readonly #answers = new WeakMap<RefSnapshot, Map<string, Buffer>>()
  readonly #v2: Buffer

  constructor(speaker: Speaker, refsMax: number) {
    this.#speaker = speaker
    this.#refsMax = refsMax
    this.#v2 = encodeV2Advertisement(speaker)
  }

  get v2(): Buffer {
    return this.#v2
  }

  /** @throws ProtocolError over_limit */
  advertise(service: GitService, version: '0' | '1', snapshot: RefSnapshot): Buffer {
    this.#check(snapshot)
    return this.#remember(snapshot, `${service} ${version}`, () =>
      encodeAdvertisement(service, version, snapshot, this.#speaker),
    )
  }

  /** @throws ProtocolError over_limit */
  lsRefs(request: LsRefsRequest, snapshot: RefSnapshot): Buffer {
    this.#check(snapshot)
    const { peel, symrefs, unborn, prefixes } = request
    // A prefix may hold any character: joined by one, a single odd prefix would pass for several plain ones.
    const key = `ls ${JSON.stringify([peel, symrefs, unborn, prefixes])}`
    return this.#remember(snapshot, key, () => encodeLsRefs(snapshot, request))
  }

  #check(snapshot: RefSnapshot): void {
    if (snapshot.refs.length > this.#refsMax) throw overLimit('refs', 'max_advertised_refs', this.#refsMax)
  }

  #remember(snapshot: RefSnapshot, key: string, make: () => Buffer): Buffer {
    let answers = this.#answers.get(snapshot)
    if (answers === undefined) this.#answers.set(snapshot, (answers = new Map()))
    const known = answers.get(key)
    if (known !== undefined) return known
    const made = make()
    if (answers.size < ANSWERS_PER_SNAPSHOT_MAX && key.length <= KEY_LENGTH_MAX) answers.set(key, made)
    return made
  }
}

/** The one line by which git clients are told what went wrong (gitprotocol-pack, "ERR"). */
export function encodeErr(message: string): Buffer {
  return encodeCutLine(`ERR ${message}\n`)
}
