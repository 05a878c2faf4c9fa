/** What those who read and clone write down, of servers that answer wrongly or not at all. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../integration/support/git.ts'
import { cloneOnce } from './cloner.ts'
import { listRefs } from './list-refs.ts'

const never = new AbortController().signal
const EMPTY = `001e# service=git-upload-pack\n0000${(4 + 41 + 15).toString(16).padStart(4, '0')}${'0'.repeat(40)} capabilities^{}0000`

/** Until the end of its scope. */
async function serve(answer: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a list', () => {
  const ask = (url: string, signal = never): ReturnType<typeof listRefs> => {
    let nowMs = 0
    return listRefs({ node: 'home', repository: 'ants', url, nowMs: () => nowMs++, signal })
  }

  it('is what a node says', async () => {
    await using server = await serve((_, response) => void response.end(EMPTY))
    const read = { by: 'list', node: 'home', repository: 'ants', beganMs: 0, endedMs: 1, refs: {} }
    expect(await ask(server.url)).toEqual(read)
  })

  it.each([
    { name: 'half of one', status: 200, body: EMPTY.slice(0, -4), kind: 'malformed' },
    { name: 'a page of something else', status: 200, body: '<html>', kind: 'malformed' },
    { name: 'a refusal for too many requests', status: 429, body: EMPTY, kind: 'overload' },
    { name: 'a refusal for too much work', status: 503, body: EMPTY, kind: 'overload' },
    { name: 'an error', status: 500, body: EMPTY, kind: 'failed' },
    { name: 'that there is no such thing', status: 404, body: EMPTY, kind: 'failed' },
  ])('that is $name is $kind', async ({ status, body, kind }) => {
    await using server = await serve((_, response) => void response.writeHead(status).end(body))
    expect(await ask(server.url)).toMatchObject({ kind, node: 'home', repository: 'ants', beganMs: 0, endedMs: 1 })
  })

  it('that breaks in the middle has failed, and says why', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write(EMPTY, () => response.destroy())
    })
    expect(await ask(server.url)).toMatchObject({ kind: 'failed', problem: expect.stringMatching(/: ./) })
  })

  it('is nothing when it is broken off', async () => {
    await using server = await serve(() => stop.abort())
    const stop = new AbortController()
    expect(await ask(server.url, stop.signal)).toBeUndefined()
  })
})

describe('a clone', () => {
  const parts = { node: 'home', repository: 'ants', nowMs: () => 7, signal: never } as const

  it('is also a read of what it got', async () => {
    using folder = temporaryFolder('cloner')
    const git = new Git(folder.path)
    await git.run('init', '--quiet', '--initial-branch=main', 'source')
    await git.in('source').commit('first')
    const oid = await git.in('source').run('rev-parse', 'HEAD')
    const path = join(folder.path, 'clone.git')
    const whose = { node: 'home', repository: 'ants', beganMs: 7, endedMs: 7 }
    expect(await cloneOnce({ ...parts, url: join(folder.path, 'source'), path })).toEqual({
      clone: { ...whose, problem: undefined },
      read: { ...whose, by: 'clone', refs: { 'refs/heads/main': oid } },
    })
    expect(existsSync(path)).toBe(false)
  })

  it('that fails is told with what git said', async () => {
    using folder = temporaryFolder('cloner')
    const cloned = await cloneOnce({ ...parts, url: join(folder.path, 'nowhere'), path: join(folder.path, 'clone') })
    expect(cloned).toMatchObject({ clone: { problem: { kind: 'transfer', text: expect.stringContaining('nowhere') } } })
    expect(cloned?.read).toBeUndefined()
  })

  it('from a node that hangs ends all the same', async () => {
    using folder = temporaryFolder('cloner')
    await using server = await serve(() => {})
    const path = join(folder.path, 'clone')
    const cloned = await cloneOnce({ ...parts, url: server.url, path, msMax: 1_000 })
    expect(cloned?.clone.problem).toMatchObject({ kind: 'time-out', text: expect.stringContaining('ended') })
    expect(existsSync(path)).toBe(false)
  })

  it('is nothing when it is broken off', async () => {
    using folder = temporaryFolder('cloner')
    const stop = new AbortController()
    await using server = await serve(() => stop.abort())
    const cloning = cloneOnce({ ...parts, url: server.url, path: join(folder.path, 'clone'), signal: stop.signal })
    expect(await cloning).toBeUndefined()
  })
})
