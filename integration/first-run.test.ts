/** What a person gets who has just cloned Guts: one command, and one line to paste (DESIGN §4.1). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { DEV_DEFAULTS } from '../src/commands/dev.ts'
import { type CommandResult, run } from './support/command-line.ts'
import { DevProcess } from './support/dev-process.ts'
import { freePorts } from './support/free-ports.ts'

let directory: string
let home: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'guts-first-'))
  home = join(directory, 'home')
  mkdirSync(home)
  // What people have in theirs: a helper that answers for every host, and hooks into pushes.
  const helper = '!f() { echo username=mallory; echo password=wrong; }; f'
  const config = ['[user]', 'name = Ann', 'email = ann@guts.test', '[credential]', `helper = "${helper}"`]
  writeFileSync(join(home, '.gitconfig'), `${config.join('\n')}\n[http]\nproxy = http://127.0.0.1:9\n`)
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

async function argsFor(dataDirectory: string): Promise<string[]> {
  const [api, internal, p2p] = await freePorts(3)
  const addresses = ['--api-addr', `127.0.0.1:${api}`, '--metrics-addr', `127.0.0.1:${internal}`]
  return ['--data-dir', dataDirectory, ...addresses, '--p2p-addr', `127.0.0.1:${p2p}`]
}

const shell = (cwd: string, script: string): Promise<CommandResult> =>
  run('sh', ['-ec', script], { HOME: home }, { cwd })

async function expectSuccess(result: Promise<CommandResult>): Promise<string> {
  const { exitCode, stdout, stderr } = await result
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout.trim()
}

async function makeRepository(): Promise<string> {
  const path = mkdtempSync(join(directory, 'work-'))
  await expectSuccess(shell(path, 'git init -q -b trunk; echo one > a; git add a; git commit -qm one'))
  return path
}

const modeOf = (path: string): number => statSync(path).mode & 0o777
const tokenIn = (credentials: string): string => /:(guts_pat_\w+)@/.exec(credentials)?.[1] ?? ''

describe('the first run', () => {
  it.each([
    { name: 'a plain folder', folder: 'data', head: 'on a branch', script: 'true' },
    {
      name: 'a folder with blanks and quotes',
      folder: "it's my data",
      head: 'detached',
      script: 'git checkout -q --detach',
    },
  ])('in $name prints one line that pushes a repository with HEAD $head', async ({ folder, script }) => {
    const data = join(directory, folder)
    await using dev = await DevProcess.start(await argsFor(data))
    const credentials = readFileSync(join(data, 'credentials'), 'utf8')
    expect(credentials).toMatch(/^http:\/\/admin:guts_pat_\w+@127\.0\.0\.1%3a\d+\n$/)
    expect([modeOf(join(data, 'credentials')), modeOf(join(data, 'identity.key'))]).toEqual([0o600, 0o600])
    expect(dev.output).toContain(join(data, 'credentials'))
    expect(dev.output).toContain('first user    admin')

    const work = await makeRepository()
    await expectSuccess(shell(work, script))
    await expectSuccess(shell(work, dev.pushLine))
    expect(readFileSync(join(data, 'credentials'), 'utf8')).toBe(credentials)
    expect(modeOf(join(data, 'credentials'))).toBe(0o600)
    const address = /http:\/\/admin@\S+/.exec(dev.pushLine)?.[0].replace('admin@', '') ?? ''
    await expectSuccess(shell(directory, `git -c http.proxy= clone -q ${address} clone`))
    const head = await expectSuccess(shell(work, 'git rev-parse HEAD'))
    expect(await expectSuccess(shell(join(directory, 'clone'), 'git fsck --strict >&2; git rev-parse HEAD'))).toBe(head)

    // Neither what was printed nor what was logged tells the token or the key.
    expect(dev.output).not.toContain(tokenIn(credentials))
    expect(dev.output).not.toContain(readFileSync(join(data, 'identity.key'), 'utf8').trim())
  })
})

describe('later runs', () => {
  it('find everything again: identity, user, token, repository', async () => {
    const data = join(directory, 'data')
    const args = await argsFor(data)
    const work = await makeRepository()
    const before = await DevProcess.start(args)
    await expectSuccess(shell(work, before.pushLine))
    await before.stop()
    const kept = ['credentials', 'identity.key'].map((file) => readFileSync(join(data, file), 'utf8'))

    await using after = await DevProcess.start(args)
    expect(after.pushLine).toBe(before.pushLine)
    expect(['credentials', 'identity.key'].map((file) => readFileSync(join(data, file), 'utf8'))).toEqual(kept)
    await expectSuccess(shell(work, 'echo two >> a; git commit -qam two'))
    await expectSuccess(shell(work, after.pushLine))
  })

  it('give the token a new address when the node moves', async () => {
    const data = join(directory, 'data')
    const before = await DevProcess.start(await argsFor(data))
    await before.stop()
    const token = tokenIn(readFileSync(join(data, 'credentials'), 'utf8'))
    await using after = await DevProcess.start(await argsFor(data))
    expect(tokenIn(readFileSync(join(data, 'credentials'), 'utf8'))).toBe(token)
    await expectSuccess(shell(await makeRepository(), after.pushLine))
  })

  it('make a new token when the file is gone', async () => {
    const data = join(directory, 'data')
    const args = await argsFor(data)
    const before = await DevProcess.start(args)
    await before.stop()
    rmSync(join(data, 'credentials'))
    await using after = await DevProcess.start(args)
    expect(modeOf(join(data, 'credentials'))).toBe(0o600)
    await expectSuccess(shell(await makeRepository(), after.pushLine))
  })
})

describe('its settings', () => {
  it('are those of a node for this machine alone, below what an operator sets', () => {
    const { config } = loadConfig({ environment: {}, defaults: DEV_DEFAULTS, requirePrivateKey: false })
    for (const { host } of [config.apiAddress, config.p2pAddress, config.metricsAddress]) expect(host).toBe('127.0.0.1')
    expect(config.logFormat).toBe('pretty')
  })

  it('can ask for JSON lines', async () => {
    const args = await argsFor(join(directory, 'data'))
    await using dev = await DevProcess.start(args, { GUTS_LOG_FORMAT: 'json' })
    expect(dev.output).toMatch(/^\{"level":"info".*"msg":"Started"\}$/m)
  })

  it('can bring an identity, and then none is made', async () => {
    const data = join(directory, 'data')
    await using dev = await DevProcess.start(await argsFor(data), { GUTS_PRIVATE_KEY: 'ab'.repeat(32) })
    expect(() => statSync(join(data, 'identity.key'))).toThrow(/ENOENT/)
    expect(dev.output).not.toContain('abababab')
  })
})
