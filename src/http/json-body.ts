import express, { type Request, type Response } from 'express'
import { RequestError } from '../errors.ts'

/** Bodies of the REST API describe things; content goes over git. After decompression. */
export const JSON_BODY_BYTES_MAX = 2 ** 20

const parse = express.json({ limit: JSON_BODY_BYTES_MAX, strict: true, type: () => true })

/**
 * The body as JSON; `undefined` when there is none.
 * @throws RequestError `unsupported_media_type`; errors of body-parser for the rest (error-answer.ts knows them)
 */
export async function readJsonBody(request: Request, response: Response): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type = '' } = request.headers
  if (encoding === undefined && (length === undefined || length === '0')) return undefined
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new RequestError({ code: 'unsupported_media_type' }, 'The body must be application/json')
  }
  await new Promise<void>((resolve, reject) => {
    parse(request, response, (error: unknown) => (error === undefined ? resolve() : reject(error)))
  })
  return request.body
}
