import { copyTree } from '../harness/tree-copy.ts'

/** A copy of the fuzzer and of all it fuzzes. */
export function copyFuzzer(): ReturnType<typeof copyTree> {
  return copyTree(['src', 'fuzz', 'harness', 'integration/support', 'package.json', 'tsconfig.json'])
}
