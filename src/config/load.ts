/** Joins defaults, file, environment and flags into one Config, or names every mistake at once (I12). */
import type * as z from 'zod'
import { ConfigError, type ConfigProblem } from './error.ts'
import { fieldsOf, FIELDS, type Field } from './fields.ts'
import { readText } from './file.ts'
import { isSameListener, type Address } from './network-values.ts'
import { isSeed, SEED_RULE } from './rules.ts'
import type { Config, ConfigFields, FieldName } from './schema.ts'
import * as sources from './sources.ts'
import type { Given, Source } from './sources.ts'

export interface LoadOptions {
  /** Usually `processEnvironment()`; tests hand in their own. */
  readonly environment: sources.Environment
  readonly flags?: sources.FlagValues
  /** Path of the file: `--config`. Else `GUTS_CONFIG` of the environment, else none. */
  readonly file?: string
  /** Defaults of one command instead of the schema's, below everything an operator sets. Keys as in a file. */
  readonly defaults?: sources.FlagValues
  /** Whether a configuration without private key is a mistake. */
  readonly requirePrivateKey: boolean
  /** Take port 0, "any free port": for callers in this process, which ask the listener what it got. */
  readonly allowPortZero?: boolean
}

/** One key as it took effect. */
export interface ConfigEntry {
  readonly field: Field
  /** As an operator would write it; undefined where nothing is set and the default is computed. Secrets as they are. */
  readonly value: unknown
  /** `default`, `environment`, `flag`, or `FILE:LINE`. */
  readonly origin: string
}

export interface LoadedConfig {
  readonly config: Config
  readonly entries: readonly ConfigEntry[]
}

/** @throws ConfigError with every mistake */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const fields = options.allowPortZero === true ? fieldsOf(0) : FIELDS
  const all = [
    sources.fromFlags(fields, options.defaults ?? {}, 'default'),
    readFile(fields, options),
    sources.fromEnvironment(fields, options.environment),
    sources.fromFlags(fields, options.flags ?? {}, 'flag'),
  ]
  const problems = all.flatMap((source) => source.problems)
  const given = new Map<FieldName, Given>()
  const outputs: Partial<Record<FieldName, unknown>> = {}
  for (const field of fields) outputs[field.name] = field.schema.parse(undefined)
  // Also a value that a stronger source replaces must be right: its mistake would wait for the day that one goes.
  for (const one of all.flatMap((source) => source.given)) {
    const result = one.field.schema.safeParse(one.value)
    given.set(one.field.name, one)
    if (result.success) outputs[one.field.name] = result.data
    else problems.push(...toProblems(one, result.error))
  }
  const values = outputs as { [Name in FieldName]: z.output<ConfigFields[Name]> }
  const privateKeySeed = readSeed(values, given, problems, options.requirePrivateKey)
  checkListeners(values, given, problems)
  if (problems.length > 0) throw ConfigError.of(problems)

  const { privateKey: _key, privateKeyFile: _file, p2pMinPeers, ...rest } = values
  const config: Config = {
    ...rest,
    privateKeySeed,
    p2pMinPeers: p2pMinPeers ?? (values.bootstrapPeers.length > 0 ? 1 : 0),
  }
  const entries = fields.map((field) => {
    const one = given.get(field.name)
    return {
      field,
      get value() {
        return one === undefined ? field.defaultValue : one.value
      },
      origin: one?.origin ?? 'default',
    }
  })
  return { config, entries }
}

function readFile(fields: readonly Field[], { file, environment }: LoadOptions): Source {
  const name = file === undefined ? sources.FILE_VARIABLE : '--config'
  const origin = file === undefined ? 'environment' : 'flag'
  const path = file ?? environment[sources.FILE_VARIABLE]
  if (path === undefined) return { given: [], problems: [] }
  if (path === '') return { given: [], problems: [{ name, origin, message: 'is empty' }] }
  return sources.fromFile(fields, path, name, origin)
}

function toProblems({ field, name, origin }: Given, error: z.ZodError): ConfigProblem[] {
  return error.issues.map((issue) => {
    const item = typeof issue.path[0] === 'number' ? `item ${issue.path[0] + 1} ` : ''
    // Sentences of the schema are ours; the library's own could quote what was given.
    const message = issue.code === 'custom' ? issue.message : `must be ${item === '' ? field.rule : 'a text'}`
    return { name, origin, message: `${item}${message}` }
  })
}

type Given_ = ReadonlyMap<FieldName, Given>

function readSeed(
  { privateKey, privateKeyFile }: { privateKey?: Uint8Array | undefined; privateKeyFile?: string | undefined },
  given: Given_,
  problems: ConfigProblem[],
  isRequired: boolean,
): Uint8Array | undefined {
  const direct = given.get('privateKey')
  const file = given.get('privateKeyFile')
  if (direct !== undefined && file !== undefined) {
    const message = `is set together with ${file.name} (${file.origin}); set one of them`
    problems.push({ name: direct.name, origin: direct.origin, message })
  } else if (direct === undefined && file === undefined && isRequired) {
    const message =
      'is required: 64 hexadecimal digits, or a file in GUTS_PRIVATE_KEY_FILE; make one with `guts keygen`'
    problems.push({ name: 'GUTS_PRIVATE_KEY', origin: 'default', message })
  }
  if (file === undefined || privateKeyFile === undefined) return privateKey
  const text = readText(privateKeyFile)
  const mistake = 'message' in text ? text.message : undefined
  const seed = 'content' in text ? text.content.replace(/\r?\n$/, '') : ''
  if (mistake === undefined && isSeed(seed)) return new Uint8Array(Buffer.from(seed, 'hex'))
  const message = `names a file that ${mistake ?? `must hold ${SEED_RULE} and nothing else`}`
  problems.push({ name: file.name, origin: file.origin, message })
  return undefined
}

const LISTENERS = ['apiAddress', 'p2pAddress', 'metricsAddress'] as const

function checkListeners(
  values: Readonly<Record<(typeof LISTENERS)[number], Address>>,
  given: Given_,
  problems: ConfigProblem[],
): void {
  for (const [index, name] of LISTENERS.entries()) {
    const rival = LISTENERS.slice(0, index).find((other) => isSameListener(values[other], values[name]))
    if (rival === undefined) continue
    const one = nameOf(name, given)
    const other = nameOf(rival, given)
    problems.push({ ...one, message: `needs the same port as ${other.name} (${other.origin})` })
  }
}

function nameOf(name: FieldName, given: Given_): { name: string; origin: string } {
  const one = given.get(name)
  if (one !== undefined) return { name: one.name, origin: one.origin }
  const field = FIELDS.find((candidate) => candidate.name === name)
  return { name: field?.env ?? name, origin: 'default' }
}
