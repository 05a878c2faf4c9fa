/** Stands between git and its server, and keeps what they say. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { serveHttpBackend } from '../../integration/support/http-backend.ts'

export interface Exchange {
  readonly service: 'git-upload-pack' | 'git-receive-pack'
  readonly version: '0' | '1' | '2'
  readonly request: Buffer
  readonly answer: Buffer
}

export interface Recorder extends AsyncDisposable {
  readonly origin: string
  /** POSTs since the last call. */
  take(): Exchange[]
}

export async function record(root: string): Promise<Recorder> {
  const backend = await serveHttpBackend(root)
  const exchanges: Exchange[] = []
  const server = createServer((request, response) => void pass(backend.origin, exchanges, request, response))
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', () => listening.resolve())
  await listening.promise
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => exchanges.splice(0),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await backend[Symbol.asyncDispose]()
    },
  }
}

async function pass(
  origin: string,
  exchanges: Exchange[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const body = Buffer.concat(pieces)
  const { method = 'GET', url = '/', headers } = request
  const kept = ['content-type', 'content-encoding', 'git-protocol'].flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as [string, string]] : []
  })
  const answer = await fetch(`${origin}${url}`, { method, headers: kept, ...(method === 'POST' ? { body } : {}) })
  const bytes = Buffer.from(await answer.arrayBuffer())
  if (method === 'POST') {
    const service = url.endsWith('git-upload-pack') ? 'git-upload-pack' : 'git-receive-pack'
    const [, version = '0'] = /version=([012])/.exec(String(headers['git-protocol'])) ?? []
    const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    exchanges.push({ service, version: version as Exchange['version'], request: plain, answer: bytes })
  }
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
  response.end(bytes)
}
