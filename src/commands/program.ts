/** The command line: from the list of commands to what commander parses, and from errors to exit codes. */
import { Command as Parser, CommanderError } from 'commander'
import { FIELDS } from '../config/fields.ts'
import type { Environment } from '../config/sources.ts'
import { createLogger } from '../observability/logging.ts'
import { redactKeys } from '../observability/redaction.ts'
import { VERSION } from '../version.ts'
import type { Command, ConfigurationFlags } from './command.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { type Failure, toFailure, WrongUse } from './failure.ts'
import { COMMANDS, GROUPS } from './list.ts'
import { Output, type Streams } from './output.ts'

const FLAGS_OF: Readonly<Record<ConfigurationFlags, (key: string) => boolean>> = {
  none: () => false,
  data: (key) => key === 'data_dir',
  all: () => true,
}

/** Runs one command line. @param args without `node` and the script */
export async function runCommandLine(
  args: readonly string[],
  environment: Environment,
  streams: Streams,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine
  const out = new Output(streams, args.includes('--json'))
  const program = createParser(streams, async (command, positionals, options) => {
    exitCode = await runCommand(command, positionals, options, environment, out)
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.fine
    const failure = toFailure(error)
    if (args[0] === 'start') await logFailure(failure)
    else if (!isShownHelp(error)) out.failure(failure.code, failure.message, problemsOf(failure))
    return failure.exitCode
  }
}

type Act = (command: Command, positionals: readonly string[], options: Record<string, unknown>) => Promise<void>

function createParser(streams: Streams, act: Act): Parser {
  const program = new Parser('guts')
    .description('A git hosting node')
    .version(VERSION, '-V, --version')
    .helpCommand(false)
    .exitOverride()
    // Its errors are told by us, in one form; its help goes where it belongs.
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: writeHelpTo(streams.stderr) })
  const groups = new Map<string, Parser>()
  for (const command of COMMANDS) {
    const [first = '', second] = command.name.split(' ')
    // What follows a second word belongs to that command, also where the first one is a command by itself.
    if (second === undefined) groups.set(first, addCommand(program, first, command, act).enablePositionalOptions())
    else {
      const group =
        groups.get(first) ??
        program
          .command(first)
          .summary(GROUPS[first] ?? '')
          .description(GROUPS[first] ?? '')
      groups.set(first, group.helpCommand(false))
      addCommand(group, second, command, act)
    }
  }
  return program
}

function addCommand(parent: Parser, word: string, command: Command, act: Act): Parser {
  const parser = parent.command(word).summary(command.summary).description(command.summary)
  for (const [name, help] of Object.entries(command.positionals)) {
    const isOptional = command.args.shape[name]?.safeParse(undefined).success === true
    parser.argument(isOptional ? `[${name}]` : `<${name}>`, help)
  }
  for (const { flags, help } of command.options) parser.option(flags, help)
  parser.option('--json', 'print one JSON value')
  if (command.configuration !== 'none') parser.option('--config <file>', 'configuration file, TOML or YAML')
  const takes = FLAGS_OF[command.configuration]
  for (const { flag, key, description } of FIELDS) {
    if (flag !== undefined && takes(key)) parser.option(`${flag} <value>`, description)
  }
  parser.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  $ ${example}`).join('\n')}`)
  return parser.action(async () => act(command, parser.args, parser.opts()))
}

async function runCommand(
  command: Command,
  positionals: readonly string[],
  options: Record<string, unknown>,
  environment: Environment,
  out: Output,
): Promise<ExitCode> {
  const { json: _json, config: configFile, ...rest } = options
  const given: Record<string, unknown> = {}
  const configFlags: Record<string, string> = {}
  const keys = new Map(FIELDS.map(({ key }) => [camelCase(key), key]))
  const own = Object.keys(command.args.shape)
  for (const [name, value] of Object.entries(rest)) {
    const key = keys.get(name)
    if (key !== undefined && !own.includes(name)) configFlags[key] = String(value)
    else given[name] = value
  }
  for (const [index, name] of Object.keys(command.positionals).entries()) given[name] = positionals[index]
  const parsed = command.args.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [field], message }) => {
      const isMissing = given[String(field)] === undefined
      return isMissing ? `${nameOf(command, field)} is required` : `${nameOf(command, field)}: ${message}`
    })
    throw new WrongUse(problems.join('; '))
  }
  const context = { environment, configFile: configFile as string | undefined, configFlags, out }
  return command.run(parsed.data as never, context)
}

/** As the user writes it. */
function nameOf(command: Command, field: PropertyKey | undefined): string {
  const name = String(field)
  return name in command.positionals
    ? `<${name}>`
    : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function camelCase(key: string): string {
  return key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** `guts user` shows what there is, on standard error and as wrong use: nothing is to be added to that. */
function isShownHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.code === 'commander.help'
}

function writeHelpTo(stderr: NodeJS.WritableStream): (text: string) => void {
  return (text) => {
    if (!text.startsWith('error: ')) stderr.write(text)
  }
}

function problemsOf({ problems }: Failure): object {
  return problems === undefined ? {} : { problems }
}

/** `guts start` says everything in log lines, also why it cannot begin (DESIGN §4.1): one for each mistake. */
async function logFailure({ code, message, problems }: Failure): Promise<void> {
  const { logger, flush } = createLogger({ level: 'error', format: 'json', destination: 2 })
  if (problems === undefined) logger.error({ code }, redactKeys(message))
  for (const { name, origin, message: what, nearest } of problems ?? []) {
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    logger.error(
      { code, setting: redactKeys(name), origin: redactKeys(origin), nearest },
      redactKeys(`${name} (${origin}): ${what}${hint}`),
    )
  }
  await flush()
}
