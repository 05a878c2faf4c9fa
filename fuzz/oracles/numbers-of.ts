import type { BitSet } from '../../src/git/bitmap/bit-set.ts'

/** What is in a set of bits, in order. */
export function numbersOf(set: BitSet): number[] {
  const numbers: number[] = []
  set.forEach((number) => numbers.push(number))
  return numbers
}
