import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { downloadRelease } from './tool-download.ts'

const folder = temporaryFolder('download')
const archive = join(folder.path, 'archive.tar.gz')
let server: Server
let sha256: string

beforeAll(async () => {
  mkdirSync(join(folder.path, 'tool-7'))
  // The archive says nothing of its being executable.
  writeFileSync(join(folder.path, 'tool-7/tool'), '#!/bin/sh\necho fetched\n', { mode: 0o644 })
  execFileSync('tar', ['-czf', archive, '-C', folder.path, 'tool-7'])
  const bytes = readFileSync(archive)
  sha256 = createHash('sha256').update(bytes).digest('hex')
  server = createServer((request, response) => {
    if (request.url === '/broken') {
      response.writeHead(200, { 'Content-Length': bytes.length })
      response.write(bytes.subarray(0, 50), () => response.destroy())
    } else if (request.url === '/7/anyarch.tar.gz') response.end(bytes)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.close()
  folder[Symbol.dispose]()
})

interface Pins {
  readonly path?: string
  readonly member?: string
  readonly hash?: string
}

async function download({ path = '/{version}/{arch}.tar.gz', member = 'tool-{version}/tool', hash }: Pins) {
  using work = temporaryFolder('download-work')
  const archives = { [process.arch]: { arch: 'anyarch', sha256: hash ?? sha256 } }
  const made = await downloadRelease({
    name: 'tool',
    pinned: { version: '7', go: { package: 'x', executable: 'x' }, release: { path, member, archives } },
    workFolder: work.path,
    releaseOrigin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signal: new AbortController().signal,
    say: () => {},
  })
  return spawnSync(made, { encoding: 'utf8' }).stdout
}

describe('downloadRelease', () => {
  it('makes an executable of what has the right hash', async () => {
    expect(await download({})).toBe('fetched\n')
  })

  it.each([
    { name: 'another hash', pins: { hash: 'f'.repeat(64) }, code: 'hash_differs' },
    { name: 'another answer', pins: { path: '/elsewhere' }, code: 'http_status' },
    { name: 'half an answer', pins: { path: '/broken' }, code: 'unreachable' },
    { name: 'an archive without the executable', pins: { member: 'other' }, code: 'not_an_archive' },
  ])('refuses $name', async ({ pins, code }) => {
    await expect(download(pins)).rejects.toMatchObject({ name: 'DownloadError', detail: { code } })
  })
})
