import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ToolMissingError } from '../../harness/errors.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import { findWebServer, type WebServerTools } from './find.ts'

let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => (folder = temporaryFolder('web-server')))
afterEach(() => {
  vi.unstubAllEnvs()
  folder[Symbol.dispose]()
})

const bin = (): string => join(folder.path, 'bin')

function put(name: string, script: string): void {
  mkdirSync(bin(), { recursive: true })
  writeFileSync(join(bin(), name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin(), name), 0o755)
}

/** With nothing on PATH but what a test has put there. */
function find(installed = bin()): Promise<WebServerTools> {
  vi.stubEnv('PATH', bin())
  const places = { path: installed, folder: join(folder.path, 'tools'), releaseOrigin: 'http://127.0.0.1:1' }
  return findWebServer({ signal: new AbortController().signal, say: () => {}, places })
}

/** Programs in place of apt's: what they unpack are scripts. */
function putApt(fcgiwrap: string): void {
  put('apt-cache', 'echo "  Depends: libfcgi0t64"')
  put('apt-get', 'PATH=/usr/bin:/bin; echo "$@" > asked; for name in nginx fcgiwrap; do touch $name.deb; done')
  const makeScripts = `
    mkdir -p usr/sbin usr/lib/any-linux-gnu
    printf '#!/bin/sh\\n' > usr/sbin/nginx
    printf '#!/bin/sh\\n${fcgiwrap}\\n' > usr/sbin/fcgiwrap
    chmod +x usr/sbin/nginx usr/sbin/fcgiwrap`
  put('dpkg-deb', `PATH=/usr/bin:/bin; ${makeScripts}`)
}

describe('findWebServer', () => {
  it('takes what is installed', async () => {
    put('nginx', '')
    put('fcgiwrap', '')
    const tools = await find()
    expect(tools).toEqual({ nginx: join(bin(), 'nginx'), fcgiwrap: join(bin(), 'fcgiwrap'), environment: {} })
  })

  it('unpacks packages where one is missing, and keeps nothing of them but what is in them', async () => {
    putApt('exit 0')
    put('nginx', 'exit 1')
    const tools = await find()
    const made = join(folder.path, 'tools', readdirSync(join(folder.path, 'tools'))[0] ?? '')
    expect(tools).toEqual({
      nginx: join(made, 'usr/sbin/nginx'),
      fcgiwrap: join(made, 'usr/sbin/fcgiwrap'),
      environment: { LD_LIBRARY_PATH: join(made, 'usr/lib/any-linux-gnu') },
    })
    expect(readdirSync(made).sort()).toEqual(['asked', 'usr'])
  })

  it('says what is missing, and how to get it, where there is no apt', async () => {
    const missing = find('')
    await expect(missing).rejects.toThrow(ToolMissingError)
    await expect(missing).rejects.toThrow(/is not there\. Install nginx and fcgiwrap \(Debian: nginx fcgiwrap\)/)
  })

  it('keeps nothing that does not run, as for want of a library', async () => {
    putApt('echo libfoo.so.1: cannot open shared object file >&2; exit 127')
    await expect(find()).rejects.toThrow('libfoo.so.1: cannot open shared object file')
    expect(readdirSync(join(folder.path, 'tools'))).toEqual([])
  })
})
