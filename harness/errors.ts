/** Why a command of the harness does not even begin. */
import { closest, distance } from 'fastest-levenshtein'
import { GutsError } from '../src/errors.ts'

/** Exit code 2: the sentence says what is wrong and, where there is one, the nearest thing that exists. */
export class WrongUseError extends GutsError<{ readonly code: 'wrong_use' }> {
  constructor(message: string) {
    super({ code: 'wrong_use' }, message)
  }
}

/** Exit code 3: the sentence names the tool, and says how to get it. */
export class ToolMissingError extends GutsError<{ readonly code: 'tool_missing'; readonly tool: string }> {
  constructor(tool: string, message: string, options?: ErrorOptions) {
    super({ code: 'tool_missing', tool }, message, options)
  }
}

/** `; did you mean X?`, or nothing where no known name is near. */
export function nearest(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const candidate = closest(name, known)
  return distance(name, candidate) <= Math.max(2, name.length / 3) ? `; did you mean ${candidate}?` : ''
}
