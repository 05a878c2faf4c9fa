/** The schema's entries with what is derived from them: a key's names, how its text is read, its rule in words. */
import assert from 'node:assert/strict'
import * as z from 'zod'
import { configFields, type FieldMeta, type FieldName } from './schema.ts'

export type FieldKind = 'text' | 'integer' | 'list'

export interface Field extends FieldMeta {
  /** In `Config`, but for the two of the private key. */
  readonly name: FieldName
  /** In a file: `api_addr`. */
  readonly key: string
  /** On the command line: `--api-addr`. None for a secret. */
  readonly flag: string | undefined
  readonly kind: FieldKind
  readonly schema: z.ZodType
  /** In the words of the reference and of errors: `a whole number from 1 to 100`. */
  readonly rule: string
  /** As an operator would write it; undefined where there is none or it is computed. */
  readonly defaultValue: string | number | readonly string[] | undefined
}

export const ENV_PREFIX = 'GUTS_'

/** @param portMin see `configFields` */
export function fieldsOf(portMin: 0 | 1): readonly Field[] {
  return Object.entries(configFields(portMin)).map(([name, schema]) => toField(name as FieldName, schema))
}

/** The fields as operators have them. */
export const FIELDS = fieldsOf(1)

function toField(name: FieldName, schema: z.ZodType): Field {
  const meta = schema.meta() as unknown as FieldMeta
  const key = meta.env.slice(ENV_PREFIX.length).toLowerCase()
  let json: z.core.JSONSchema.BaseSchema | undefined
  // Only when somebody asks: for all fields that is 0.02 s of each command.
  const described = (): z.core.JSONSchema.BaseSchema => (json ??= z.toJSONSchema(schema, { io: 'input' }))
  return {
    ...meta,
    name,
    key,
    flag: meta.secret === true ? undefined : `--${key.replaceAll('_', '-')}`,
    schema,
    get kind() {
      return kindOf(described())
    },
    get rule() {
      return ruleOf(schema, described())
    },
    get defaultValue() {
      return described().default as Field['defaultValue']
    },
  }
}

function kindOf({ type }: z.core.JSONSchema.BaseSchema): FieldKind {
  if (type === 'integer') return 'integer'
  if (type === 'array') return 'list'
  assert.equal(type, 'string')
  return 'text'
}

function ruleOf(schema: z.ZodType, json: z.core.JSONSchema.BaseSchema): string {
  if (json.type === 'integer') return `a whole number from ${json.minimum} to ${json.maximum}`
  if (json.enum !== undefined) return `one of ${json.enum.join(', ')}`
  if (json.type === 'array') return `a list of at most ${json.maxItems}, each ${refusalOf(schema, [''])}`
  return refusalOf(schema, '')
}

/** Rules of texts are functions, so that no description of theirs can be read: the refusal of the empty text is. */
function refusalOf(schema: z.ZodType, empty: unknown): string {
  const message = schema.safeParse(empty).error?.issues[0]?.message ?? ''
  assert(message.startsWith('must be '), 'no text may be empty, and every refusal says what is wanted')
  return message.slice('must be '.length)
}
