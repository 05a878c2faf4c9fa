import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

import { hasErrorCode } from '../../errors.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import type { StoredObject } from './pack-file.ts'

const LOOSE_NAME = /^[0-9a-f]{40}$/

const TYPE_CODES = new Map(Object.entries(OBJECT_TYPE))

/** What a loose file holds is no object. */
export class LooseError extends Error {}

/** Objects in files of their own, which the node never writes, but an operator's git may. */
export class LooseObjects {
  readonly #directory: string
  /** The two-digit folders there are: mostly none, and then a missing object costs no look at the disk. */
  #folders: ReadonlySet<string> = new Set()

  /** @param directory `objects` of the repository */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Looks for folders that came or went. */
  refresh(): void {
    this.#folders = new Set(readdirSync(this.#directory).filter((name) => name.length === 2))
  }

  /** No folder is there in which any could lie. */
  get isEmpty(): boolean {
    return this.#folders.size === 0
  }

  /** No fewer than there are. */
  countMax(): number {
    return Array.from(this.#folders, (folder) => this.#namesIn(folder).length).reduce((sum, count) => sum + count, 0)
  }

  /** 20 bytes each. */
  names(): Buffer[] {
    return Array.from(this.#folders, (folder) =>
      this.#namesIn(folder).flatMap((name) =>
        LOOSE_NAME.test(folder + name) ? Buffer.from(folder + name, 'hex') : [],
      ),
    ).flat()
  }

  /** @returns where the object would lie; undefined where it cannot, as there is no such folder */
  pathOf(oid: Buffer, at: number): string | undefined {
    // As nearly always: a name in hex for each object of a push would be made for nothing.
    if (this.#folders.size === 0) return undefined
    const name = oid.toString('hex', at, at + 20)
    const folder = name.slice(0, 2)
    return this.#folders.has(folder) ? join(this.#directory, folder, name.slice(2)) : undefined
  }

  /** `git gc` removes folders that it has emptied. */
  #namesIn(folder: string): string[] {
    try {
      return readdirSync(join(this.#directory, folder))
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return []
      throw error
    }
  }
}

/**
 * @returns undefined where it is not there
 * @throws LooseError and what zlib does: it is damaged
 */
export function readLoose(path: string): StoredObject | undefined {
  let compressed: Buffer
  try {
    compressed = readFileSync(path)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined
    throw error
  }
  return decodeLoose(compressed)
}

/** `type size NUL` and the object's bytes, compressed (gitformat-*, "Loose object format"). */
function decodeLoose(compressed: Buffer): StoredObject {
  const whole = inflateSync(compressed)
  const headerEnd = whole.indexOf(0)
  const [, name = '', size] = /^([a-z]+) (0|[1-9][0-9]*)$/.exec(whole.toString('latin1', 0, headerEnd)) ?? []
  const type = TYPE_CODES.get(name)
  const data = whole.subarray(headerEnd + 1)
  if (type === undefined || Number(size) !== data.length) throw new LooseError('Its header is wrong')
  return { type, data }
}
