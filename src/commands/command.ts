import type * as z from 'zod'
import type { Environment, FlagValues } from '../config/sources.ts'
import type { ExitCode } from './exit.ts'
import type { Output } from './output.ts'

/** What a command takes besides `--help` and `--json`. */
export interface CommandOption {
  /** As commander reads it: `--name <text>`. */
  readonly flags: string
  readonly help: string
}

/** Which flags of the configuration a command takes. */
export type ConfigurationFlags = 'none' | 'data' | 'all'

export interface CommandContext {
  readonly environment: Environment
  /** `--config` */
  readonly configFile: string | undefined
  /** Keys as in a file. */
  readonly configFlags: FlagValues
  readonly out: Output
}

interface Declaration {
  /** With its group: `user create`. */
  readonly name: string
  readonly summary: string
  readonly examples: readonly string[]
  /** Names of the positional arguments, in order, each with its help. */
  readonly positionals: Readonly<Record<string, string>>
  readonly options: readonly CommandOption[]
  readonly configuration: ConfigurationFlags
}

export interface Command extends Declaration {
  readonly args: z.ZodObject
  run(args: never, context: CommandContext): Promise<ExitCode>
}

/** `args` checks positionals and options together; what it refuses is wrong use. */
export function defineCommand<Args extends z.ZodObject>(
  declaration: Partial<Declaration> &
    Pick<Declaration, 'name' | 'summary' | 'examples' | 'configuration'> & {
      readonly args: Args
      run(args: z.output<Args>, context: CommandContext): Promise<ExitCode>
    },
): Command {
  return { positionals: {}, options: [], ...declaration }
}
