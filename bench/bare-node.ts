/**
 * What is left of a rate when a node of ours does nothing: a process with `node:http` alone, which answers with files
 * that it keeps in memory. What misses its goal beside nginx or `git http-backend`, and is near to this one, is missed by
 * what Node's HTTP costs.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { withPackages } from './bare-packages.ts'

export class BareNode implements AsyncDisposable {
  /** The files are served below it. */
  readonly origin: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child
    this.origin = origin
  }

  /**
   * @param folder of the files, which do not change
   * @param kind with the packages that the node is made of, or without
   */
  static async start(folder: string, signal: AbortSignal, kind: 'alone' | 'packages' = 'alone'): Promise<BareNode> {
    // Its channel is what it lives by: whoever ends without a word takes it along.
    const child = fork(import.meta.filename, [folder, kind], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    })
    const [port] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit').then(() => Promise.reject(new Error('The bare server did not start'))),
    ])) as [number]
    return new BareNode(child, `http://127.0.0.1:${port}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    await ended
  }
}

function serve(folder: string, kind: string): void {
  const files = new Map<string, Buffer>()
  const read = (path: string): Buffer => {
    const content = readFileSync(join(folder, path))
    files.set(path, content)
    return content
  }
  const answer: RequestListener = ({ url = '/' }, response) => {
    const content = files.get(url) ?? read(url)
    response.writeHead(200, { 'Content-Length': content.length })
    response.end(content)
  }
  const server = createServer(kind === 'packages' ? withPackages(folder, answer) : answer)
  // Clients come back when the others had their turn.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  process.once('disconnect', () => process.exit())
}

if (import.meta.main) serve(process.argv[2] ?? '', process.argv[3] ?? 'alone')
