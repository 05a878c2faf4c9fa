import { GutsError } from '../errors.ts'

/** One mistake; no field ever holds what was given, because that may be a secret in the wrong place. */
export interface ConfigProblem {
  /** As the operator wrote it: a variable, a key of the file, a flag. */
  readonly name: string
  /** `default`, `environment`, `flag`, or `FILE:LINE`. */
  readonly origin: string
  readonly message: string
  /** The nearest known name, when the name is the mistake. */
  readonly nearest?: string
}

/** Every mistake of a configuration at once. */
export class ConfigError extends GutsError<{
  readonly code: 'invalid_configuration'
  readonly problems: readonly ConfigProblem[]
}> {
  static of(problems: readonly ConfigProblem[]): ConfigError {
    const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
    const message = [`Invalid configuration, ${count}:`, ...problems.map((problem) => `  ${sentence(problem)}`)].join(
      '\n',
    )
    return new ConfigError({ code: 'invalid_configuration', problems }, message)
  }
}

function sentence({ name, origin, message, nearest }: ConfigProblem): string {
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  return `${name} (${origin}): ${message}${hint}`
}
