import { LRUCache } from 'lru-cache'

/** Larger ones cost more to send than to read. */
export const SMALL_PACK_BYTES_MAX = 1024 ** 2
const ALL_BYTES_MAX = 32 * 1024 ** 2

/** The bytes of a pack that is asked for again and again. */
export interface SmallPack {
  readonly content: Buffer
  readonly objects: number
}

/**
 * Small packs that were asked for more than once, in memory: to open, look at, read and close a file takes four turns
 * through the threads of libuv, which is more than half of what the answer to a small clone costs (`npm run bench -- clones`).
 */
export class SmallPacks {
  readonly #packs = new LRUCache<string, SmallPack>({
    maxSize: ALL_BYTES_MAX,
    sizeCalculation: ({ content }) => Math.max(1, content.length),
  })

  get(key: string): SmallPack | undefined {
    return this.#packs.get(key)
  }

  keep(key: string, pack: SmallPack): void {
    this.#packs.set(key, pack)
  }
}
