import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { errorCodeOf, RequestError } from '../errors.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import { ClientLeftError } from './request-state.ts'

const DECODERS: Readonly<Record<string, (() => Transform) | undefined>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  identity: undefined,
}

/**
 * The body as git meant it: git compresses what it says in a fetch (gitprotocol-http, "Smart Service").
 *
 * @throws RequestError unsupported_media_type
 */
export function gitBody(request: IncomingMessage, contentType: string): AsyncIterable<Buffer> | Buffer {
  if (request.headers['content-type'] !== contentType) {
    throw new RequestError({ code: 'unsupported_media_type' }, `The body must be ${contentType}`)
  }
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (!Object.hasOwn(DECODERS, encoding)) {
    throw new RequestError({ code: 'unsupported_media_type' }, 'The content encoding must be gzip, deflate or none')
  }
  const decoder = DECODERS[encoding]?.()
  return decoder === undefined ? (wholeOf(request) ?? request) : decode(request, decoder)
}

/** Most requests are so short that all of it came with their headers: a stream for them takes longer than the rest. */
function wholeOf(request: IncomingMessage): Buffer | undefined {
  const { readableLength } = request
  if (readableLength === 0 || String(readableLength) !== request.headers['content-length']) return undefined
  const whole = request.read(readableLength) as Buffer
  // Of its end, too, somebody has to take notice, or the connection waits for it.
  request.resume()
  return whole
}

async function* decode(request: IncomingMessage, decoder: Transform): AsyncGenerator<Buffer> {
  // Not a pipeline: that would destroy the request, and the connection with it, when the bytes are no gzip.
  request.pipe(decoder)
  request.once('close', () => {
    if (!request.complete) decoder.destroy(new ClientLeftError('The client left'))
  })
  try {
    yield* decoder
  } catch (error) {
    if (errorCodeOf(error)?.startsWith('Z_')) {
      throw new ProtocolError({ code: 'request_truncated' }, 'The body is not what its content encoding says')
    }
    throw error
  }
}
