/** C git's own server over HTTP, as a twin that answers are compared with. */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HttpBackend extends AsyncDisposable {
  /** Below it the repositories of the root, by their paths. */
  readonly origin: string
}

/** Serves the repositories below `root` by `git http-backend`, one process a request, as a web server would. */
export async function serveHttpBackend(root: string): Promise<HttpBackend> {
  const server = createServer((request, response) => runBackend(root, request, response))
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}

/** RFC 3875, as far as http-backend asks for it. */
function runBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const { headers } = request
  const child = spawn('git', ['-c', 'http.receivepack=true', 'http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_USER: 'twin',
      REMOTE_ADDR: '127.0.0.1',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: root,
      ...given('CONTENT_TYPE', headers['content-type']),
      ...given('CONTENT_LENGTH', headers['content-length']),
      ...given('HTTP_CONTENT_ENCODING', headers['content-encoding']),
      ...given('GIT_PROTOCOL', headers['git-protocol']),
    },
  })
  request.pipe(child.stdin)
  // It may answer, and end, without having read everything.
  child.stdin.on('error', () => {})
  response.on('close', () => child.kill())
  let head = Buffer.alloc(0)
  let headEnded = false
  child.stdout.on('data', (chunk: Buffer) => {
    if (headEnded) {
      if (!response.write(chunk)) {
        child.stdout.pause()
        response.once('drain', () => child.stdout.resume())
      }
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    headEnded = true
    writeHead(response, head.toString('latin1', 0, end))
    response.write(head.subarray(end + 4))
  })
  child.stdout.on('end', () => response.end())
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200
  for (const line of text.split('\r\n')) {
    const [name = '', value = ''] = line.split(/: ?(.*)/s)
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3))
    else response.setHeader(name, value)
  }
  response.writeHead(status)
}

function given(name: string, value: string | string[] | undefined): Record<string, string> {
  return typeof value === 'string' ? { [name]: value } : {}
}
