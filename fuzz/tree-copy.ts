import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyTree } from '../harness/tree-copy.ts'

/** A copy of the fuzzer and of all it fuzzes. */
export async function copyFuzzer(): ReturnType<typeof copyTree> {
  const copy = await copyTree(['src', 'fuzz', 'harness', 'integration/support', 'package.json', 'tsconfig.json'])
  // Of what is planted there, much was published of others: here it must be found without knowing it.
  const list = "import type { Advisory } from './advisory.ts'\n\nexport const ADVISORIES: readonly Advisory[] = []\n"
  writeFileSync(join(copy.path, 'fuzz/advisories/list.ts'), list)
  return copy
}
