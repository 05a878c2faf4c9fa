/** A pack in the progression is at least so many times as large as the one before it. */
const FACTOR = 2

/**
 * Chooses the packs to bring together so that those that are left, with the new one, form a geometric progression by
 * their numbers of objects, as `git repack --geometric=2` does (builtin/repack.c, split_pack_geometry): so there are few
 * packs, and an object is written anew only as often as what is stored doubles.
 *
 * @returns in ascending order; none, or two and more
 */
export function choosePacks<Pack extends { readonly objects: number }>(packs: readonly Pack[]): Pack[] {
  const sorted = packs.toSorted((a, b) => a.objects - b.objects)
  const objectsAt = (at: number): number => sorted[at]?.objects ?? 0
  let first = sorted.length - 1
  while (first > 0 && objectsAt(first) >= FACTOR * objectsAt(first - 1)) first--
  if (first <= 0) return []
  // The pack that is too small for the one before it is brought together with that.
  let count = first + 1
  let objects = sorted.slice(0, count).reduce((sum, pack) => sum + pack.objects, 0)
  while (count < sorted.length && objectsAt(count) < FACTOR * objects) objects += objectsAt(count++)
  return sorted.slice(0, count)
}
