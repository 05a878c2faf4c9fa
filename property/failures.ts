/** What failed in a run of vitest, and how to come back to it. */
import type { KeptSeed } from './prop.ts'

/** The property's own name: @fast-check/vitest adds its seed, and we that it was kept. */
export function propertyName(title: string): string {
  return title.replace(/ \(with seed=-?[0-9.]+\)$/, '').replace(/^kept: /, '')
}

/** @returns undefined for a failure that no value led to, such as a time-out */
export function keptSeedOf(failure: string): KeptSeed | undefined {
  const [, seed, path] = /\{ seed: (-?[0-9]+), path: "([0-9]+)/.exec(failure) ?? []
  // Without the steps to a smaller value, which a change of the code may lead elsewhere.
  return seed === undefined || path === undefined ? undefined : { seed: Number(seed), path }
}

export function addKept(
  kept: Readonly<Record<string, readonly KeptSeed[]>>,
  name: string,
  one: KeptSeed,
): Record<string, readonly KeptSeed[]> {
  const known = kept[name] ?? []
  if (known.some(({ seed, path }) => seed === one.seed && path === one.path)) return { ...kept }
  return { ...kept, [name]: [...known, one] }
}
