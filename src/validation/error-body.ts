import * as z from 'zod'
import { REQUEST_ERRORS, type FieldProblem, type RequestErrorCode } from '../errors.ts'

const codes = Object.keys(REQUEST_ERRORS) as [RequestErrorCode, ...RequestErrorCode[]]

/** The one body of every failure (DESIGN §4.4). */
export const errorBody = z
  .strictObject({
    error: z.enum(codes),
    message: z.string(),
    details: z
      .array(z.strictObject({ field: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Each wrong field of the request' }),
    request_id: z.string(),
  })
  .meta({ id: 'Error', description: 'The body of every failure' })

export type ErrorBody = z.infer<typeof errorBody>

const FIELD_LENGTH_MAX = 100
const PROBLEMS_MAX = 50

/**
 * What is wrong with each field, in words a client can act on: codes of a closed list, no values.
 * @param input what was parsed: a missing field and one of the wrong type look alike in the error alone
 */
export function toFieldProblems(error: z.ZodError, input: unknown): FieldProblem[] {
  return error.issues.flatMap((issue) => toProblems(issue, input)).slice(0, PROBLEMS_MAX)
}

function toProblems(issue: z.core.$ZodIssue, input: unknown): FieldProblem[] {
  const field = fieldName(issue.path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        field: fieldName([...issue.path, shownKey(key)]),
        code: 'unknown_field',
        message: 'This field is not known',
      }))
    case 'invalid_type':
      return valueAt(input, issue.path) === undefined
        ? [{ field, code: 'required', message: 'This field is required' }]
        : [{ field, code: 'invalid_type', message: `Must be of type ${issue.expected}` }]
    case 'too_big':
      return [{ field, code: isSized(issue.origin) ? 'too_long' : 'too_large', message: issue.message }]
    case 'too_small':
      return [{ field, code: isSized(issue.origin) ? 'too_short' : 'too_small', message: issue.message }]
    case 'invalid_format':
      return [{ field, code: 'invalid_format', message: issue.message }]
    default:
      return [{ field, code: 'invalid_value', message: issue.message }]
  }
}

/** A name that we do not know is the client's own text: shown where it can be a misspelt field, never where it can be a secret. */
function shownKey(key: string): string {
  return /^[A-Za-z_]{1,40}$/.test(key) ? key : '(not shown)'
}

const isSized = (origin: string): boolean => origin === 'string' || origin === 'array' || origin === 'set'

/** The whole body or query is called by its kind: the empty path has no name. */
function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.').slice(0, FIELD_LENGTH_MAX)
  return name === '' ? 'body' : name
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}
