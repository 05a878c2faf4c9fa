/**
 * What a push brings, from programs: objects that name each other and what is there, in a pack that fits, or lies. A
 * program is a byte that lies about the number of objects (0: it does not), then operations.
 */
import { blob, commit, type MadeObject, makeObject, rawDelta, tag, tree } from '../../integration/support/pack-maker.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { encodeBaseDistance, encodeEntryHeader, encodePackHeader, ENTRY_TYPE } from '../../src/git/pack/header.ts'
import { OBJECT_TYPES } from '../../src/git/object/type.ts'
import { Cursor } from './cursor.ts'
import { FIXED_OBJECTS } from './fixed-repository.ts'
import { readInstructions } from './naive-delta.ts'
import { deflate } from './stored-deflate.ts'

/** Lower three bits of an operation's first byte. */
const OPERATION = { blob: 0, tree: 1, commit: 2, tag: 3, verbatim: 4, deltaByDistance: 5, deltaByName: 6 } as const
const HOW = { isLeftOut: 0x08, isDeflated: 0x10, isUnsorted: 0x20, isTwice: 0x40 } as const
const MODES = ['100644', '100755', '120000', '40000', '160000', '100664', '0', '777777'] as const
const MODE_OF_TYPE = { blob: '100644', tree: '40000', commit: '160000', tag: '100644' } as const
/** A choice of an object from here on is one of those that are there already. */
const FIXED_FROM = 0x80
/** …and from here on one that is nowhere: as often as fuzzers write 255, or a pack without it would be a rare thing. */
const MISSING_FROM = 0xf0
const MISSING = [makeObject('tag', 'x'), blob('nowhere'), makeObject('commit', 'x'), makeObject('tree', 'x')] as const
const OBJECT_BYTES_MAX = 4_096

export interface MadePush {
  readonly pack: Buffer
  /** In the order in which they were made, those that are left out as well. */
  readonly objects: readonly MadeObject[]
}

/** @param bytesMax of the cursor's, from here on */
export function runPushProgram(program: Cursor, bytesMax = Number.MAX_SAFE_INTEGER): MadePush {
  return new PushMaker().make(new Cursor(program.take(bytesMax)))
}

class PushMaker {
  readonly #objects: MadeObject[] = []
  readonly #entries: Buffer[] = []
  /** By name, in bytes from the beginning of the pack. */
  readonly #offsets = new Map<string, number>()
  #bytes = 12

  make(program: Cursor): MadePush {
    const lie = (program.byte() << 24) >> 24
    while (program.left > 0) this.#add(program)
    const header = encodePackHeader((this.#entries.length + lie) >>> 0)
    return { pack: withChecksum(Buffer.concat([header, ...this.#entries])), objects: this.#objects }
  }

  #add(program: Cursor): void {
    const how = program.byte()
    const operation = how & 7
    if (operation === OPERATION.deltaByDistance || operation === OPERATION.deltaByName) {
      this.#addDelta(how, program)
      return
    }
    const made = this.#makeObject(operation, how, program)
    this.#objects.push(made)
    const header = encodeEntryHeader(ENTRY_TYPE[made.type], made.data.length)
    if ((how & HOW.isLeftOut) === 0) this.#push(header, made.data, how, made)
  }

  #makeObject(operation: number, how: number, program: Cursor): MadeObject {
    switch (operation) {
      case OPERATION.blob:
        return blob(program.take(program.byte()))
      case OPERATION.tree:
        return this.#makeTree(how, program)
      case OPERATION.commit: {
        const root = this.#choose(program)
        const parents = Array.from({ length: program.byte() & 3 }, () => this.#choose(program).oid)
        return commit(root.oid, parents, program.take(program.byte() & 15).toString('latin1'))
      }
      case OPERATION.tag: {
        const { oid, type } = this.#choose(program)
        return tag(oid, type, program.take(program.byte() & 15).toString('latin1'))
      }
      default:
        return makeObject(OBJECT_TYPES[program.byte() & 3] ?? 'blob', program.take(program.byte()))
    }
  }

  #makeTree(how: number, program: Cursor): MadeObject {
    const entries = Array.from({ length: program.byte() & 7 }, (_, at) => {
      const kind = program.byte()
      const { oid, type } = this.#choose(program)
      const mode = (kind & 0x10) === 0 ? MODE_OF_TYPE[type] : (MODES[kind >> 5] ?? '100644')
      const name = program.take(kind & 15).toString('latin1') || `f${at}`
      return [mode, name, oid] as const
    })
    // By bytes, folders as if they ended with a slash (git's base_name_compare).
    const keyOf = ([mode, name]: (typeof entries)[number]): Buffer => Buffer.from(mode === '40000' ? `${name}/` : name)
    return tree(...((how & HOW.isUnsorted) === 0 ? entries.sort((a, b) => keyOf(a).compare(keyOf(b))) : entries))
  }

  #addDelta(how: number, program: Cursor): void {
    const base = this.#choose(program)
    const content = program.take(program.byte())
    const { result, claimedBytes } = readInstructions(content, base.data, OBJECT_BYTES_MAX)
    const delta = rawDelta(base.data.length, claimedBytes, [...content])
    const made = result === undefined ? undefined : makeObject(base.type, result)
    if (made !== undefined) this.#objects.push(made)
    const offset = (how & 7) === OPERATION.deltaByDistance ? this.#offsets.get(base.oid) : undefined
    const type = offset === undefined ? ENTRY_TYPE.refDelta : ENTRY_TYPE.ofsDelta
    const place = offset === undefined ? Buffer.from(base.oid, 'hex') : encodeBaseDistance(this.#bytes - offset)
    const head = Buffer.concat([encodeEntryHeader(type, delta.length), place])
    if ((how & HOW.isLeftOut) === 0) this.#push(head, delta, how, made)
  }

  #push(head: Buffer, content: Buffer, how: number, made: MadeObject | undefined): void {
    const entry = Buffer.concat([head, deflate(content, (how & HOW.isDeflated) !== 0)])
    const times = (how & HOW.isTwice) === 0 ? 1 : 2
    for (let time = 0; time < times; time++) {
      if (made !== undefined) this.#offsets.set(made.oid, this.#bytes)
      this.#entries.push(entry)
      this.#bytes += entry.length
    }
  }

  /** The last one made for 0, and so on; where there is none, what was there before. */
  #choose(program: Cursor): MadeObject {
    const choice = program.byte()
    if (choice >= MISSING_FROM) return MISSING[choice & 3] ?? MISSING[0]
    const made = choice < FIXED_FROM ? this.#objects.at(-1 - choice) : undefined
    return made ?? (FIXED_OBJECTS[(choice & 0x7f) % FIXED_OBJECTS.length] as MadeObject)
  }
}
