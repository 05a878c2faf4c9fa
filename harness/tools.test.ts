import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { ToolMissingError } from './errors.ts'
import { runMaker } from './tool-build.ts'
import { TOOLS } from './tool-table.ts'
import { findFolder, findTool, type ToolPlaces, toolThere } from './tools.ts'

/** Nobody listens there. */
const NO_RELEASES = 'http://127.0.0.1:1'
const PROGRAM = '#!/bin/sh\necho made\n'

let folder: ReturnType<typeof temporaryFolder>
let places: ToolPlaces
const said: string[] = []

beforeEach(() => {
  folder = temporaryFolder('tools')
  said.length = 0
  places = { path: join(folder.path, 'bin'), folder: join(folder.path, 'tools'), releaseOrigin: NO_RELEASES }
})
afterEach(() => folder[Symbol.dispose]())

function put(path: string, text: string, mode = 0o755): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** A program called `go` in place of the real one, which would compile for minutes. */
function putGo(script: string): void {
  put(join(places.path, 'go'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
}

function find(signal = new AbortController().signal): Promise<string> {
  return findTool('k6', { signal, say: (line) => said.push(line), places })
}

const madePath = (): string => join(places.folder, `k6-${TOOLS.k6.pinned?.version}`, 'k6')
/** Of what was begun, nothing may be left. */
const left = (): string[] => readdirSync(places.folder).filter((name) => name.startsWith('making-'))

describe('findTool', () => {
  it('takes what is on PATH before what was made', async () => {
    const made = put(madePath(), PROGRAM)
    expect(await find()).toBe(made)
    const installed = put(join(places.path, 'k6'), PROGRAM)
    expect(await find()).toBe(installed)
  })

  it('takes no file that cannot be executed, and no folder', async () => {
    put(join(places.path, 'k6'), PROGRAM, 0o644)
    mkdirSync(madePath(), { recursive: true })
    expect(toolThere('k6', places)).toBeUndefined()
  })

  it('asks a client whether what it is a client of is there', () => {
    put(join(places.path, 'docker'), '#!/bin/sh\nexit 1\n')
    expect(toolThere('container engine', places)).toBeUndefined()
    const podman = put(join(places.path, 'podman'), '#!/bin/sh\ntest "$1" = version\n')
    expect(toolThere('container engine', places)).toBe(podman)
  })

  it('has Go build the pinned version, once', async () => {
    const log = join(folder.path, 'log')
    putGo(`echo "$1 $4 $GOFLAGS $CGO_ENABLED" >> ${log}\nprintf '%s' '${PROGRAM}' > $GOBIN/k6\nchmod +x $GOBIN/k6`)
    const path = await find()
    expect(spawnSync(path, { encoding: 'utf8' }).stdout).toBe('made\n')
    expect(await find()).toBe(path)
    expect(readFileSync(log, 'utf8')).toBe(`install go.k6.io/k6@v${TOOLS.k6.pinned?.version} -mod=mod 0\n`)
    expect(left()).toEqual([])
  })

  it('lets two build at once, and shows neither half of a program', async () => {
    // Both have written half before either goes on.
    const halves = join(folder.path, 'halves')
    mkdirSync(halves)
    putGo(`
      printf '%s' '#!/bin/sh\necho ' > $GOBIN/k6; chmod +x $GOBIN/k6
      touch ${halves}/$$
      until [ $(ls ${halves} | wc -l) = 2 ]; do test -d ${halves} || exit 1; done
      printf 'whole' >> $GOBIN/k6`)
    const first = find()
    const second = find()
    const path = await Promise.race([first, second])
    expect(spawnSync(path, { encoding: 'utf8' }).stdout).toBe('whole\n')
    expect(await Promise.all([first, second])).toEqual([path, path])
    expect(left()).toEqual([])
  })

  it('says how to get what can be neither built nor fetched', async () => {
    putGo('echo "no such module" >&2; exit 1')
    await expect(find()).rejects.toThrow(ToolMissingError)
    const sentence = await find().catch((error: Error) => error.message)
    expect(sentence).toContain(TOOLS.k6.howToGet)
    expect(sentence).toContain('no such module')
    expect(sentence).toContain(`${NO_RELEASES}/grafana/k6`)
    expect(left()).toEqual([])
    expect(existsSync(madePath())).toBe(false)
  })

  it('says how to get what is only looked for', async () => {
    const finding = findTool('chromium', { signal: new AbortController().signal, say: () => {}, places })
    await expect(finding).rejects.toThrow(TOOLS.chromium.howToGet)
  })

  it('ends what it began when it is interrupted, with all that Go started', async () => {
    const pidFile = join(folder.path, 'pid')
    putGo(`sleep 600 & echo $! > ${pidFile}.part; mv ${pidFile}.part ${pidFile}; wait`)
    const controller = new AbortController()
    const finding = find(controller.signal)
    await expect.poll(() => existsSync(pidFile)).toBe(true)
    const pid = readFileSync(pidFile, 'utf8').trim()
    controller.abort(new Error('interrupted'))
    await expect(finding).rejects.toThrow('interrupted')
    expect(left()).toEqual([])
    // Its parent is gone, so it is a zombie until somebody collects it.
    const state = (): string => {
      const stat = `/proc/${pid}/stat`
      return existsSync(stat) ? (readFileSync(stat, 'utf8').split(') ')[1] ?? '').slice(0, 1) : ''
    }
    await expect.poll(state).toMatch(/^Z?$/)
  })
})

describe('findFolder', () => {
  const options = (): Parameters<typeof findFolder>[1] => ({
    signal: new AbortController().signal,
    say: (line) => said.push(line),
    places,
  })
  const fill = async (path: string): Promise<void> => void put(join(path, 'made'), PROGRAM)

  it('makes it once', async () => {
    const path = await findFolder('client-1', options(), { howToGet: 'Ask.', make: fill })
    expect(readdirSync(path)).toEqual(['made'])
    const again = { howToGet: 'Ask.', make: () => Promise.reject(new Error('made twice')) }
    expect(await findFolder('client-1', options(), again)).toBe(path)
    expect(left()).toEqual([])
  })

  it('takes what another process has made meanwhile', async () => {
    const path = join(places.folder, 'client-1')
    const make = async (into: string): Promise<void> => {
      await fill(into)
      await fill(path)
    }
    expect(await findFolder('client-1', options(), { howToGet: 'Ask.', make })).toBe(path)
    expect(left()).toEqual([])
  })

  it('says how to get what cannot be made, and leaves nothing', async () => {
    const make = async (into: string): Promise<void> => {
      await fill(into)
      await runMaker('the maker', {
        program: 'sh',
        args: ['-c', 'echo no such package; exit 1'],
        signal: options().signal,
      })
    }
    const making = findFolder('client-1', options(), { howToGet: 'Ask.', make })
    await expect(making).rejects.toThrow(/client-1 is not there\. Ask\.[^]*the maker failed: no such package/)
    await expect(making).rejects.toThrow(ToolMissingError)
    expect(readdirSync(places.folder)).toEqual([])
  })
})

describe('a command whose tool is missing', () => {
  it('ends with 3 and the sentence', async () => {
    const script = put(
      join(folder.path, 'command.ts'),
      `import { runCommand } from '${ROOT}/harness/command.ts'
       import { findTool } from '${ROOT}/harness/tools.ts'
       const places = ${JSON.stringify(places)}
       await runCommand('help', async (_args, signal) => {
         await findTool('k6', { signal, say: (line) => console.log(line), places })
         return 0
       })`,
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    expect(await once(child, 'close')).toEqual([3, null])
    expect(stderr).toContain(`k6 is not there. ${TOOLS.k6.howToGet}`)
    expect(stderr).toContain('go is not there')
  })
})
