/** Where values come from: each source yields what it gives to which field, and its own mistakes. */
import { closest, distance } from 'fastest-levenshtein'
import type { ConfigProblem } from './error.ts'
import { ENV_PREFIX, type Field } from './fields.ts'
import { atLine, readConfigFile } from './file.ts'

/** A value that was given. */
export interface Given {
  readonly field: Field
  /** As the operator spelt the field in this source. */
  readonly name: string
  readonly origin: string
  readonly value: unknown
}

export interface Source {
  readonly given: readonly Given[]
  readonly problems: readonly ConfigProblem[]
}

/** Keys as in a file (`api_addr`); from the command line every value is a text, callers in the process may use types. */
export type FlagValues = Readonly<Record<string, string | number | readonly string[] | undefined>>
export type Environment = Readonly<Record<string, string | undefined>>

export const FILE_VARIABLE = `${ENV_PREFIX}CONFIG`
const NAME_LENGTH_SHOWN_MAX = 64
/** Of a name's length, how much of it may be wrong for another one to be meant. */
const NAME_WRONG_SHARE_MAX = 0.34

export function fromFile(fields: readonly Field[], path: string, name: string, origin: string): Source {
  const content = readConfigFile(path)
  if ('problem' in content) {
    const { line, message } = content.problem
    return { given: [], problems: [{ name, origin: line === undefined ? origin : atLine(path, line), message }] }
  }
  const entries = content.values.map(({ key, value, line }) => ({ name: key, value, origin: atLine(path, line) }))
  return collect(entries, new Map(fields.map((field) => [field.key, field])))
}

export function fromEnvironment(fields: readonly Field[], environment: Environment): Source {
  const entries = Object.entries(environment)
    .filter(([name, value]) => name.startsWith(ENV_PREFIX) && name !== FILE_VARIABLE && value !== undefined)
    .map(([name, value]) => ({ name, value: value ?? '', origin: 'environment' }))
  const empty = entries.filter(({ value }) => value === '')
  const { given, problems } = collect(entries, new Map(fields.map((field) => [field.env, field])))
  return {
    // Empty is no value: read as one it would be 0, or no list, which nobody meant.
    given: given.filter(({ value }) => value !== '').map((one) => ({ ...one, value: fromText(one.field, one.value) })),
    problems: [
      ...problems,
      ...empty
        .filter(({ name }) => fields.some(({ env }) => env === name))
        .map(({ name, origin }) => ({ name, origin, message: 'is empty; unset it to get the default' })),
    ],
  }
}

export function fromFlags(fields: readonly Field[], flags: FlagValues, origin: 'flag' | 'default'): Source {
  const entries = Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value, origin }))
  const { given, problems } = collect(entries, new Map(fields.map((field) => [field.key, field])))
  return { given: given.map((one) => ({ ...one, value: fromText(one.field, one.value) })), problems }
}

type Entry = Omit<Given, 'field'>

function collect(entries: readonly Entry[], known: ReadonlyMap<string, Field>): Source {
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const entry of entries) {
    const field = known.get(entry.name)
    if (field === undefined) problems.push(unknownName(entry, [...known.keys()]))
    else given.push({ ...entry, field })
  }
  return { given, problems }
}

// A Service called "guts" makes Kubernetes put GUTS_PORT, GUTS_SERVICE_HOST … into every pod of its namespace.
const SERVICE_LINK = /^GUTS_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/

function unknownName({ name, origin }: Entry, known: readonly string[]): ConfigProblem {
  if (SERVICE_LINK.test(name)) {
    return { name, origin, message: 'is not known; if Kubernetes set it, set enableServiceLinks: false in the pod' }
  }
  // A name is cut because anything may be pasted as one, and the search costs the product of both lengths.
  const shown = name.slice(0, NAME_LENGTH_SHOWN_MAX)
  const nearest = closest(shown, known)
  const isNear = distance(shown, nearest) <= shown.length * NAME_WRONG_SHARE_MAX
  return { name: shown, origin, message: 'is not known', ...(isNear && { nearest }) }
}

/** Text into what the schema takes. What cannot be read stays a text, which the schema refuses where it is none. */
function fromText(field: Field, value: unknown): unknown {
  if (typeof value !== 'string') return value
  // Strictly decimal: Number() would also take '', ' 7', '0x1f', '1e3' and '+5'.
  if (field.kind === 'integer') return /^(?:0|-?[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value
  if (field.kind === 'list') return value.split(',').map((item) => item.trim())
  return value
}
