import { compareRefNames } from '../git/ref-name.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/**
 * Which names of refs are free: a ref cannot stand where another one needs a folder, as refs/heads/a beside refs/heads/a/b
 * (refs.c, `refs_verify_refname_available`).
 *
 * A name of a kilobyte may lie in 500 folders, and a push may have 10,000 such names: looking each folder up took 29 s. But
 * in a sorted list of names of which none is a folder of another, a folder of this name can only be all that it has in
 * common with the name before it: every name between the two begins with that folder, and a shorter one would be a folder
 * of that other name, too.
 */
export class NamesInUse {
  readonly #snapshot: RefSnapshot
  readonly #deleted: ReadonlySet<string>
  /** In the order of `compareRefNames`. */
  readonly #created: string[] = []

  /** @param deleted of the snapshot's refs, those whose names are free */
  constructor(snapshot: RefSnapshot, deleted: ReadonlySet<string>) {
    this.#snapshot = snapshot
    this.#deleted = deleted
  }

  /** @param name without a conflict */
  add(name: string): void {
    const place = this.#placeInCreated(name)
    if (this.#created[place] !== name) this.#created.splice(place, 0, name)
  }

  /** @returns why there can be no such ref, as a sentence; undefined where there can */
  conflictWith(name: string): string | undefined {
    const other = this.#createdBelow(name) ?? this.#folderOf(name) ?? this.#existingBelow(name)
    return other === undefined ? undefined : `'${other}' exists; cannot create '${name}'`
  }

  #createdBelow(name: string): string | undefined {
    const folder = `${name}/`
    const first = this.#created[this.#placeInCreated(folder)]
    return first?.startsWith(folder) === true ? first : undefined
  }

  /** @returns the ref that stands where one of the name's folders would have to be */
  #folderOf(name: string): string | undefined {
    const { refs, byName } = this.#snapshot
    const created = folderInCommon(name, this.#created[this.#placeInCreated(name) - 1])
    if (created !== undefined && this.#created[this.#placeInCreated(created)] === created) return created
    const existing = folderInCommon(name, refs[this.#placeInExisting(name) - 1]?.name)
    return existing !== undefined && byName.has(existing) && !this.#deleted.has(existing) ? existing : undefined
  }

  #existingBelow(name: string): string | undefined {
    const { refs } = this.#snapshot
    const folder = `${name}/`
    for (let at = this.#placeInExisting(folder); refs[at]?.name.startsWith(folder) === true; at++) {
      const below = refs[at]?.name ?? ''
      if (!this.#deleted.has(below)) return below
    }
    return undefined
  }

  #placeInCreated(name: string): number {
    return placeOf(this.#created.length, (at) => compareRefNames(this.#created[at] as string, name) < 0)
  }

  #placeInExisting(name: string): number {
    const { refs } = this.#snapshot
    return placeOf(refs.length, (at) => compareRefNames((refs[at] as { name: string }).name, name) < 0)
  }
}

/** @returns how many come before, where all that do come first */
function placeOf(count: number, isBefore: (at: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** @returns what both begin with, where that is a folder of the name */
function folderInCommon(name: string, other: string | undefined): string | undefined {
  if (other === undefined) return undefined
  let common = 0
  while (common < other.length && name.charCodeAt(common) === other.charCodeAt(common)) common++
  return name[common] === '/' ? name.slice(0, common) : undefined
}
