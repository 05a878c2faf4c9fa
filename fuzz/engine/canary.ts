/**
 * The canary has a defect, behind a word that only instrumented comparisons can lead to (they see literals, no names).
 * Every run of the fuzzer must find it first: else it means nothing that it finds no other.
 */
export function fuzz(data: Buffer): void {
  if (data.toString('latin1', 0, 8) === 'PLANTED!') throw new Error('The canary was found')
}
