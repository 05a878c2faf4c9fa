/** For tests: a target on which no input passes. */
export function fuzz(): never {
  throw new Error('no input passes')
}
