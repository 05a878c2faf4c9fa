import { CommanderError } from 'commander'
import { ConfigError } from '../config/error.ts'
import { GutsError } from '../errors.ts'
import { EXIT, type ExitCode } from './exit.ts'

/** Arguments that a command's schema refuses. */
export class WrongUse extends GutsError<{ readonly code: 'wrong_use' }> {
  constructor(message: string) {
    super({ code: 'wrong_use' }, message)
  }
}

export interface Failure {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
  /** Every single mistake of a configuration. */
  readonly problems?: ConfigError['detail']['problems']
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ConfigError) {
    const { code, problems } = error.detail
    return { exitCode: EXIT.invalidConfiguration, code, message: error.message, problems }
  }
  if (error instanceof WrongUse || error instanceof CommanderError) {
    // commander begins its sentences with a label of its own.
    const message = error.message.replace(/^error: /, '')
    return { exitCode: EXIT.wrongUse, code: 'wrong_use', message }
  }
  if (error instanceof GutsError) {
    return { exitCode: EXIT.failed, code: String(error.detail.code), message: error.message }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { exitCode: EXIT.failed, code: 'failed', message }
}
