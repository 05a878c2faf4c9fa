/**
 * Tests names against many prefixes at once. A client may send tens of thousands, and a repository may have a million
 * refs: the product of both must not be what a listing costs (I7).
 *
 * @param prefixes empty: every name passes
 */
export function prefixMatcher(prefixes: readonly string[]): (name: string) => boolean {
  if (prefixes.length === 0) return () => true
  const kept: string[] = []
  for (const prefix of Array.from(new Set(prefixes)).sort()) {
    const last = kept[kept.length - 1]
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix)
  }
  // None is the beginning of another, so the greatest one that is not after the name is the only one to look at.
  return (name) => {
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((kept[middle] as string) <= name) low = middle + 1
      else high = middle
    }
    const candidate = kept[low - 1]
    return candidate !== undefined && name.startsWith(candidate)
  }
}
