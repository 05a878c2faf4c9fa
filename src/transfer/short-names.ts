import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/** Where a short name may lie (gitrevisions; `ref_rev_parse_rules` of C git's refs.c). */
const RULES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => `refs/${name}`,
  (name) => `refs/tags/${name}`,
  (name) => `refs/heads/${name}`,
  (name) => `refs/remotes/${name}`,
  (name) => `refs/remotes/${name}/HEAD`,
]

/** @returns what the one ref points to that is meant; undefined where there is none, or more than one */
export function oidNamed(name: string, { byName, head }: Pick<RefSnapshot, 'byName' | 'head'>): string | undefined {
  const found = RULES.map((rule) => rule(name)).flatMap((full) => byName.get(full === 'HEAD' ? head : full) ?? [])
  return found.length === 1 ? found[0]?.oid : undefined
}
