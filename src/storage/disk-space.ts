import { statfs } from 'node:fs/promises'

const MEBIBYTE = 2 ** 20
const LIMIT_BYTES_MIN = 16 * MEBIBYTE
const LIMIT_BYTES_MAX = 1024 * MEBIBYTE
const LIMIT_SHARE = 0.01

export interface SpaceLeft {
  readonly freeBytes: number
  /** With less than this the node writes nothing more (GUTS_MIN_FREE_MB). */
  readonly limitBytes: number
  readonly low: boolean
}

/** How much room the file system of the data directory has, as of the last look. */
export class DiskSpace {
  readonly #directory: string
  readonly #limitBytes: number | undefined
  #last: SpaceLeft = { freeBytes: 0, limitBytes: 0, low: false }

  /** @param limitBytes undefined: 1 % of the file system, at least 16 MiB, at most 1 GiB */
  constructor(directory: string, limitBytes: number | undefined) {
    this.#directory = directory
    this.#limitBytes = limitBytes
  }

  get last(): SpaceLeft {
    return this.#last
  }

  async look(): Promise<SpaceLeft> {
    const { bavail, blocks, bsize } = await statfs(this.#directory)
    const freeBytes = bavail * bsize
    const limitBytes = this.#limitBytes ?? defaultLimitBytes(blocks * bsize)
    this.#last = { freeBytes, limitBytes, low: freeBytes < limitBytes }
    return this.#last
  }
}

export function defaultLimitBytes(totalBytes: number): number {
  return Math.min(LIMIT_BYTES_MAX, Math.max(LIMIT_BYTES_MIN, Math.ceil(totalBytes * LIMIT_SHARE)))
}
