/** A binary heap of commits, newest first: the order in which `git rev-list` walks. */
export class CommitQueue<T extends { readonly committerTimeS: number }> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  push(item: T): void {
    const heap = this.#heap
    let at = heap.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((heap[parent] as T).committerTimeS >= item.committerTimeS) break
      heap[at] = heap[parent] as T
      at = parent
    }
    heap[at] = item
  }

  pop(): T | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as T).committerTimeS > (heap[child] as T).committerTimeS) child++
      if ((heap[child] as T).committerTimeS <= last.committerTimeS) break
      heap[at] = heap[child] as T
      at = child
    }
    heap[at] = last
    return top
  }
}
