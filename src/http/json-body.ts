import express, { type Request, type RequestHandler, type Response } from 'express'
import { RequestError } from '../errors.ts'

export type JsonBodyReader = (request: Request, response: Response) => Promise<unknown>

/**
 * Reads bodies of the REST API, which describe things; content goes over git. The reader answers `undefined` where
 * there is no body, and throws RequestError `unsupported_media_type`, or errors of body-parser (error-answer.ts knows
 * them).
 * @param bytesMax after decompression
 */
export function jsonBodyReader(bytesMax: number): JsonBodyReader {
  const parse = express.json({ limit: bytesMax, strict: true, type: () => true })
  return (request, response) => readJsonBody(request, response, parse)
}

async function readJsonBody(request: Request, response: Response, parse: RequestHandler): Promise<unknown> {
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
