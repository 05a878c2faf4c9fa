/** The arguments of a harness command, checked. */
import { parseArgs } from 'node:util'
import { nearest, WrongUseError } from './errors.ts'

export interface NumberOption {
  /** Taken without it. */
  readonly otherwise: number
  readonly min: number
  readonly max?: number
}

/** `90s`, `2m`, `1h`; a bare number is seconds. */
export interface DurationOption {
  readonly otherwiseMs: number
  readonly minMs: number
}

export interface OptionSpec<N extends string, D extends string, F extends string, T extends string> {
  /** `--NAME N`: whole numbers */
  readonly numbers?: Readonly<Record<N, NumberOption>>
  /** `--NAME 2m` */
  readonly durations?: Readonly<Record<D, DurationOption>>
  /** `--NAME` */
  readonly flags?: readonly F[]
  /** `--NAME TEXT`, with what is taken without it */
  readonly texts?: Readonly<Record<T, string | undefined>>
  /** What may be named besides options; none where this is missing. */
  readonly names?: { readonly what: string; readonly known: readonly string[] }
}

export interface Options<N extends string, D extends string, F extends string, T extends string> {
  readonly numbers: Readonly<Record<N, number>>
  readonly durationsMs: Readonly<Record<D, number>>
  readonly flags: Readonly<Record<F, boolean>>
  readonly texts: Readonly<Record<T, string | undefined>>
  /** In the order given, each once; empty: none was named. */
  readonly names: readonly string[]
}

const UNITS_MS: Readonly<Record<string, number>> = { '': 1_000, s: 1_000, m: 60_000, h: 3_600_000 }

/** @throws WrongUseError with the nearest known name */
export function readOptions<
  N extends string = never,
  D extends string = never,
  F extends string = never,
  T extends string = never,
>(args: readonly string[], spec: OptionSpec<N, D, F, T>): Options<N, D, F, T> {
  const numbers = Object.entries<NumberOption>(spec.numbers ?? {})
  const durations = Object.entries<DurationOption>(spec.durations ?? {})
  const texts = Object.entries<string | undefined>(spec.texts ?? {})
  const flags: readonly F[] = spec.flags ?? []
  const valued = [...numbers, ...durations, ...texts].map(([name]) => name)
  const { values, names } = parse(args, valued, flags)
  for (const name of names) checkName(name, spec.names)
  const text = (name: string): string | undefined => values[name]
  return {
    numbers: fromEntries<N, number>(numbers.map(([name, option]) => [name, numberOf(name, text(name), option)])),
    durationsMs: fromEntries<D, number>(
      durations.map(([name, option]) => [name, durationOf(name, text(name), option)]),
    ),
    flags: fromEntries<F, boolean>(flags.map((name) => [name, values[name] !== undefined])),
    texts: fromEntries<T, string | undefined>(texts.map(([name, otherwise]) => [name, text(name) ?? otherwise])),
    names: [...new Set(names)],
  }
}

interface Parsed {
  readonly values: Readonly<Record<string, string>>
  readonly names: readonly string[]
}

function parse(args: readonly string[], valued: readonly string[], flags: readonly string[]): Parsed {
  const known = Object.fromEntries([
    ...valued.map((name) => [name, { type: 'string' as const }]),
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
  ]) as Record<string, { type: 'string' | 'boolean' }>
  const { tokens } = parseArgs({ args: [...args], options: known, allowPositionals: true, strict: false, tokens: true })
  const values: Record<string, string> = {}
  const names: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') names.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    // Every object has a `constructor`, and no command such an option.
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (option === undefined) {
      const near = nearest(
        `--${name}`,
        Object.keys(known).map((one) => `--${one}`),
      )
      throw new WrongUseError(`There is no option ${rawName}${near}`)
    }
    if (option.type === 'string' && value === undefined) throw new WrongUseError(`${rawName} needs a value`)
    if (option.type === 'boolean' && value !== undefined) throw new WrongUseError(`${rawName} takes no value`)
    values[name] = value ?? ''
  }
  return { values, names }
}

function checkName(
  name: string,
  names: { readonly what: string; readonly known: readonly string[] } | undefined,
): void {
  if (names === undefined) throw new WrongUseError(`${name}: this command takes options only`)
  if (names.known.includes(name)) return
  throw new WrongUseError(
    `There is no ${names.what} ${name}${nearest(name, names.known)}\nThere are: ${names.known.join(' ')}`,
  )
}

function numberOf(name: string, text: string | undefined, { otherwise, min, max }: NumberOption): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (/^(?:-(?=[1-9]))?[0-9]{1,15}$/.test(text) && value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER))
    return value
  throw new WrongUseError(`--${name} is a whole number from ${min}${max === undefined ? '' : ` to ${max}`}`)
}

function durationOf(name: string, text: string | undefined, { otherwiseMs, minMs }: DurationOption): number {
  if (text === undefined) return otherwiseMs
  const [, digits = '', unit = ''] = /^([0-9]{1,6})([smh]?)$/.exec(text) ?? []
  const valueMs = Number(digits) * (UNITS_MS[unit] ?? 0)
  if (digits !== '' && valueMs >= minMs) return valueMs
  throw new WrongUseError(`--${name} is a time like 90s, 2m or 1h, from ${minMs / 1_000}s`)
}

function fromEntries<K extends string, V>(entries: readonly (readonly [string, V])[]): Record<K, V> {
  return Object.fromEntries(entries) as Record<K, V>
}
