/**
 * Packs from programs: the fuzzer changes objects and deltas, while the framing around them (sizes, compression,
 * distances, names, checksum) is made to fit, or to lie on purpose. So a change of one byte reaches what lies behind
 * the header, and the program knows what a reader must make of the pack.
 *
 * A program is a byte that lies about the number of objects (0: it does not), then operations: a byte that says what
 * and how (OPERATION, LIES), a byte that chooses a base, two bytes of length, and so many bytes of content.
 */
import { rawDelta, withChecksum } from '../../integration/support/pack-maker.ts'
import { encodeBaseDistance, encodeEntryHeader, encodePackHeader, ENTRY_TYPE } from '../../src/git/pack/header.ts'
import { nameOf, PACK_LIMITS, type PackObject } from '../oracles/packs.ts'
import { Cursor } from './cursor.ts'
import { applyNaively, DELTA_BYTES_MIN, type NaiveDelta, readInstructions } from './naive-delta.ts'
import { deflate } from './stored-deflate.ts'

/** Lower three bits: 0–3 is a whole object of type 1–4. */
const OPERATION = { deltaByDistance: 4, deltaByName: 5, deltaOnOutside: 6, rawEntry: 7 } as const
const LIES = { size: 0x08, isDeflated: 0x10, rawDelta: 0x20, checksum: 0x40, isCut: 0x80 } as const

/** What the repository has already, for thin packs. */
const OUTSIDE_OBJECT: PackObject = { type: 3, data: Buffer.from('a base outside of the pack, of some length\n') }
export const OUTSIDE_NAME = nameOf(OUTSIDE_OBJECT)
/** Short enough that programs make them, too: a delta on one that the pack makes needs none from outside. */
const ALSO_OUTSIDE: readonly PackObject[] = Array.from('abcdefgh', (char) => ({ type: 3, data: Buffer.from(char) }))
export const OUTSIDE: ReadonlyMap<string, PackObject> = new Map(
  [OUTSIDE_OBJECT, ...ALSO_OUTSIDE].map((object) => [nameOf(object), object]),
)

/** A program that makes each of them as a delta on the one from outside, and then builds on it by its name. */
export function programOfMadeBases(): Buffer {
  const operations = ALSO_OUTSIDE.flatMap(({ data }) => [
    withContent(Buffer.of(OPERATION.deltaOnOutside, 0), Buffer.of(1, data.readUInt8(0))),
    withContent(Buffer.of(OPERATION.deltaByName, 0), Buffer.of(1, data.readUInt8(0) - 0x20)),
  ])
  return Buffer.concat([Buffer.of(0), ...operations])
}

export interface MadePack {
  readonly bytes: Buffer
  /** `unsure`: bytes of the fuzzer's own are in it, which may be right by chance. */
  readonly verdict: 'valid' | 'invalid' | 'unsure'
  /** In a valid pack. */
  readonly objects: readonly PackObject[]
}

interface Entry {
  readonly bytes: Buffer
  readonly offset: number
  readonly object: PackObject | undefined
  /** Deltas between it and a whole object. */
  readonly depth: number
}

/** Programs that do a little less: without an operation, or with less content. The first two bytes stay. */
export function simplerPrograms(data: Buffer): Buffer[] {
  const head = data.subarray(0, 2)
  const program = new Cursor(data.subarray(2))
  const operations: Buffer[] = []
  while (program.left > 0) {
    const how = program.take(2)
    operations.push(withContent(how, program.take((program.byte() << 8) | program.byte())))
  }
  return operations.flatMap((operation, at) => {
    const how = operation.subarray(0, 2)
    const content = operation.subarray(4)
    const half = content.length >> 1
    const shorter =
      half === 0
        ? []
        : [content.subarray(half), content.subarray(0, half), content.subarray(1), content.subarray(0, -1)]
    const replaced = [[], ...shorter.map((piece) => [withContent(how, piece)])]
    return replaced.map((piece) => Buffer.concat([head, ...operations.toSpliced(at, 1, ...piece)]))
  })
}

function withContent(how: Buffer, content: Buffer): Buffer {
  return Buffer.concat([how, Buffer.of(content.length >> 8, content.length & 255), content])
}

export function makePack(program: Cursor): MadePack {
  return new PackMaker().make(program)
}

class PackMaker {
  readonly #entries: Entry[] = []
  #bytes = 12
  #inflatedBytes = 0
  #isValid = true
  #isSure = true

  make(program: Cursor): MadePack {
    const lie = (program.byte() << 24) >> 24
    if (lie !== 0) this.#isValid = false
    while (program.left > 0) this.#add(program)
    const header = encodePackHeader((this.#entries.length + lie) >>> 0)
    const bytes = withChecksum(Buffer.concat([header, ...this.#entries.map((entry) => entry.bytes)]))
    const objects = this.#entries.flatMap(({ object }) => object ?? [])
    if (this.#inflatedBytes > PACK_LIMITS.inflatedBytesMax) this.#isValid = false
    // The same name twice cannot be indexed.
    if (new Set(objects.map(nameOf)).size < objects.length) this.#isValid = false
    return { bytes, verdict: this.#isSure ? (this.#isValid ? 'valid' : 'invalid') : 'unsure', objects }
  }

  #add(program: Cursor): void {
    const how = program.byte()
    const choice = program.byte()
    const content = program.take((program.byte() << 8) | program.byte())
    const operation = how & 7
    if (operation === OPERATION.rawEntry) {
      this.#isSure = false
      this.#push(content, undefined, 0)
    } else if (operation < OPERATION.deltaByDistance) {
      const header = encodeEntryHeader(operation + 1, this.#declare(content.length, how, choice))
      this.#push(Buffer.concat([header, this.#compress(content, how)]), { type: operation + 1, data: content }, 0)
    } else this.#addDelta(how, choice, content)
  }

  #addDelta(how: number, choice: number, content: Buffer): void {
    const operation = how & 7
    const base = operation === OPERATION.deltaOnOutside ? undefined : this.#entries.at(-1 - choice)
    const baseObject = operation === OPERATION.deltaOnOutside ? OUTSIDE_OBJECT : base?.object
    const { delta, result } = makeDelta(content, baseObject, (how & LIES.rawDelta) !== 0)
    const depth = (base?.depth ?? 0) + 1
    if (result === undefined || depth > PACK_LIMITS.deltaDepthMax) this.#isValid = false
    const type = operation === OPERATION.deltaByDistance ? ENTRY_TYPE.ofsDelta : ENTRY_TYPE.refDelta
    const header = encodeEntryHeader(type, this.#declare(delta.length, how, choice))
    const place = type === ENTRY_TYPE.ofsDelta ? this.#distance(base, choice) : baseName(baseObject, content)
    this.#inflatedBytes += result?.length ?? 0
    const object = result === undefined ? undefined : { type: baseObject?.type ?? 3, data: result }
    this.#push(Buffer.concat([header, place, this.#compress(delta, how)]), object, depth)
  }

  #push(bytes: Buffer, object: PackObject | undefined, depth: number): void {
    this.#entries.push({ bytes, offset: this.#bytes, object, depth })
    this.#bytes += bytes.length
  }

  /** @returns the size that the entry claims */
  #declare(trueBytes: number, how: number, choice: number): number {
    this.#inflatedBytes += trueBytes
    if (trueBytes > PACK_LIMITS.objectBytesMax) this.#isValid = false
    if ((how & LIES.size) === 0) return trueBytes
    this.#isValid = false
    return choice < 128 ? trueBytes + 1 + choice : 2 ** (choice - 128 < 53 ? choice - 128 : 52) + trueBytes
  }

  #compress(content: Buffer, how: number): Buffer {
    const compressed = deflate(content, (how & LIES.isDeflated) !== 0)
    if ((how & LIES.checksum) !== 0) {
      this.#isValid = false
      compressed.writeUInt8(compressed.readUInt8(compressed.length - 1) ^ 1, compressed.length - 1)
    }
    if ((how & LIES.isCut) === 0) return compressed
    // What follows may end the stream by chance.
    this.#isSure = false
    return compressed.subarray(0, -5)
  }

  #distance(base: Entry | undefined, choice: number): Buffer {
    if (base !== undefined) return encodeBaseDistance(this.#bytes - base.offset)
    const distance = choice * choice
    // It may hit an entry by chance.
    if (this.#entries.some(({ offset }) => offset === this.#bytes - distance)) this.#isSure = false
    return encodeBaseDistance(distance)
  }
}

/** No object has the name of a delta's first bytes. */
function baseName(base: PackObject | undefined, content: Buffer): Buffer {
  if (base !== undefined) return Buffer.from(nameOf(base), 'hex')
  const name = Buffer.alloc(20)
  content.copy(name)
  return name
}

/** @returns the delta's bytes, and what it makes of the base; undefined: nothing */
function makeDelta(content: Buffer, base: PackObject | undefined, isRaw: boolean): NaiveDelta {
  if (base === undefined) return { delta: content, result: undefined }
  const { length } = base.data
  if (isRaw) return { delta: content, result: applyNaively(content, base.data, PACK_LIMITS.objectBytesMax) }
  const { result, claimedBytes } = readInstructions(content, base.data, PACK_LIMITS.objectBytesMax)
  const delta = rawDelta(length, claimedBytes, [...content])
  return { delta, result: delta.length < DELTA_BYTES_MIN ? undefined : result }
}
