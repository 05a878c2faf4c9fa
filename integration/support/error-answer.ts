import { expect } from 'vitest'
import { REQUEST_ERRORS } from '../../src/errors.ts'
import { errorBody, type ErrorBody } from '../../src/validation/error-body.ts'
import type { RawAnswer } from './raw-http.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The one body of every failure (DESIGN §4.4): by its shape, and not only by the schema of the code under test. */
export function expectErrorBody(answer: RawAnswer, status: number): ErrorBody {
  expect(answer.status, answer.bytes.toString().slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const text = answer.body.toString()
  const { error, message, request_id: requestId, details, ...rest } = JSON.parse(text) as Record<string, unknown>
  expect(rest).toEqual({})
  expect(requestId).toMatch(UUID)
  expect(requestId).toBe(answer.headers.get('x-request-id'))
  expect(message).toMatch(/\S/)
  expect(details === undefined || Array.isArray(details)).toBe(true)
  expect(REQUEST_ERRORS[error as keyof typeof REQUEST_ERRORS]).toBe(status)
  expect(text).not.toMatch(/node_modules|\/tmp\/|at .*\.ts:|SQLITE|ENOENT/)
  return errorBody.parse(JSON.parse(text))
}
