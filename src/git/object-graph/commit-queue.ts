interface Place<T> {
  readonly item: T
  readonly order: number
}

/** A binary heap of commits, newest first and of one age in the order they came: as `git rev-list` walks. */
export class CommitQueue<T extends { readonly committerTimeS: number }> {
  readonly #heap: Place<T>[] = []
  #pushed = 0

  get size(): number {
    return this.#heap.length
  }

  /** What `pop` would return. */
  get first(): T | undefined {
    return this.#heap[0]?.item
  }

  push(item: T): void {
    const heap = this.#heap
    const place = { item, order: this.#pushed++ }
    let at = heap.push(place) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(place, heap[parent] as Place<T>)) break
      heap[at] = heap[parent] as Place<T>
      at = parent
    }
    heap[at] = place
  }

  pop(): T | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return top?.item
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Place<T>, heap[child] as Place<T>)) child++
      if (!isBefore(heap[child] as Place<T>, last)) break
      heap[at] = heap[child] as Place<T>
      at = child
    }
    heap[at] = last
    return top?.item
  }
}

function isBefore<T extends { readonly committerTimeS: number }>(a: Place<T>, b: Place<T>): boolean {
  const newer = a.item.committerTimeS - b.item.committerTimeS
  return newer > 0 || (newer === 0 && a.order < b.order)
}
