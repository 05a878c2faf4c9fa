/** The command line as scripts and operators use it, in processes of its own (DESIGN §4.1). */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guts, gutsJson, ROOT, run } from './support/command-line.ts'
import { gutsHere } from './support/command-here.ts'
import { NodeProcess } from './support/node-process.ts'

let directory: string
let environment: Record<string, string>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'guts-commands-'))
  environment = { GUTS_DATA_DIR: join(directory, 'data') }
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const COMMANDS = [
  'start',
  'dev',
  'keygen',
  'config check',
  'config print',
  'config schema',
  'config docs',
  'user create',
  'user list',
  'token create',
  'token list',
  'token revoke',
  'repo list',
  'repo stats',
  'repo fsck',
  'repo gc',
  'maintenance on',
  'maintenance off',
  'maintenance status',
  'backup',
  'backup list',
  'backup verify',
  'restore',
]

describe('help', () => {
  it.each(COMMANDS)('of %s has an example, and --json', async (command) => {
    const { exitCode, stdout, stderr } = await gutsHere([...command.split(' '), '--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain(`guts ${command}`)
    expect(stdout).toContain('--json')
    expect(stdout).toMatch(/Examples:\n {2}\$ /)
  })

  it('names every command', async () => {
    const { exitCode, stdout, stderr } = await guts(['--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const [word = ''] of COMMANDS.map((command) => command.split(' '))) expect(stdout).toContain(`  ${word} `)
  })
})

describe('wrong use ends with 2', () => {
  it.each([
    { name: 'an unknown command', args: ['nope'], message: /unknown command 'nope'/ },
    { name: 'an unknown flag', args: ['user', 'list', '--nope'], message: /unknown option '--nope'/ },
    { name: 'no name', args: ['user', 'create'], message: /missing required argument 'name'/ },
    { name: 'too many names', args: ['user', 'create', 'alice', 'bob'], message: /too many arguments/ },
    { name: 'no user', args: ['token', 'create'], message: /--user is required/ },
    { name: 'a bad name', args: ['user', 'create', '../etc'], message: /<name>: Username must contain only lowercase/ },
    {
      name: 'a bad number',
      args: ['token', 'create', '--user', 'al', '--expires-days', '0'],
      message: /--expires-days/,
    },
    { name: 'a backup without a place', args: ['backup'], message: /--to is required/ },
    {
      name: 'a backup of no such name',
      args: ['restore', '--from', 'x', '--backup', '..'],
      message: /--backup: A backup has/,
    },
    { name: 'an unknown word after a command', args: ['backup', 'nope', '--to', 'x'], message: /too many arguments/ },
    { name: 'no repository', args: ['repo', 'gc'], message: /Name a repository, like alice\/app, or give --all/ },
    { name: 'one repository of all', args: ['repo', 'gc', 'alice/app', '--all'], message: /or give --all/ },
    { name: 'a group alone', args: ['user'], message: /Usage: guts user/ },
    { name: 'a secret as a flag', args: ['config', 'check', '--private-key', 'x'], message: /unknown option/ },
  ])('$name', async ({ args, message }) => {
    const { exitCode, stdout, stderr } = await gutsHere(args, environment)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('also for whoever reads the exit code of the process', async () => {
    const { exitCode, stdout, stderr } = await guts(['user', 'list', '--nope'], environment)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/unknown option '--nope'/)
  })
})

describe('users and tokens', () => {
  it('are made without a node, as one JSON object each', async () => {
    const user = await guts(['user', 'create', 'alice', '--admin', '--json'], environment)
    expect({ ...user, stdout: JSON.parse(user.stdout) as unknown }).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: { id: expect.any(String), username: 'alice', admin: true },
    })
    const token = await guts(['token', 'create', '--user', 'alice', '--name', 'laptop', '--json'], environment)
    expect(JSON.parse(token.stdout)).toMatchObject({
      username: 'alice',
      name: 'laptop',
      token: expect.stringMatching(/^guts_pat_/),
    })
    const { stdout } = await guts(['token', 'list', '--user', 'alice', '--json'], environment)
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ name: 'laptop', expires_at: null })])
    expect(stdout).not.toContain('guts_pat_')
  })

  it('fail with 1 and a reason, also as JSON', async () => {
    await gutsJson(['user', 'create', 'alice'], environment)
    const again = await guts(['user', 'create', 'alice'], environment)
    expect(again).toEqual({ exitCode: 1, stdout: '', stderr: 'guts: The name alice is taken\n' })
    const missing = await guts(['token', 'create', '--user', 'bob', '--json'], environment)
    expect(missing).toMatchObject({ exitCode: 1, stdout: '' })
    expect(JSON.parse(missing.stderr)).toEqual({ error: 'not_found', message: 'There is no user bob' })
  })

  it('work beside a running node, at once', async () => {
    await using node = await NodeProcess.start()
    await gutsJson(['user', 'create', 'alice'], node.environment)
    const { token } = await gutsJson<{ token: string }>(['token', 'create', '--user', 'alice'], node.environment)
    expect((await node.api('/api/user', token)).status).toBe(200)
    const [first] = await gutsJson<{ id: string }[]>(['token', 'list', '--user', 'alice'], node.environment)
    expect((await node.guts('token', 'revoke', '--user', 'alice', first?.id ?? '')).exitCode).toBe(0)
    expect((await node.api('/api/user', token)).status).toBe(401)
    expect((await node.guts('token', 'revoke', '--user', 'alice', first?.id ?? '')).exitCode).toBe(1)
    expect(await node.metric('guts_users_total')).toBe(1)
  })

  it('work through npm, as scripts outside call them', async () => {
    const args = ['run', '-s', 'guts', '--', 'user', 'create', 'carol', '--json']
    const { exitCode, stdout } = await run('npm', args, environment, { cwd: ROOT })
    expect({ exitCode, username: (JSON.parse(stdout) as { username: string }).username }).toEqual({
      exitCode: 0,
      username: 'carol',
    })
  })
})

describe('repo list', () => {
  it('shows public and private ones to who can read the data', async () => {
    await using node = await NodeProcess.start()
    const { token } = await node.createUser('alice')
    for (const [name, hidden] of [
      ['site', false],
      ['diary', true],
    ]) {
      const body = JSON.stringify({ name, private: hidden })
      expect((await node.api('/api/repos', token, { method: 'POST', body })).status).toBe(201)
    }
    const rows = await gutsJson<{ name: string; private: boolean }[]>(
      ['repo', 'list', '--owner', 'alice'],
      node.environment,
    )
    expect(rows.map((row) => [row.name, row.private])).toEqual([
      ['diary', true],
      ['site', false],
    ])
    expect((await node.guts('repo', 'list')).stdout).toMatch(/alice\/diary\s+private\s+never/)
  })
})

describe('keygen', () => {
  it('makes another key each time, which a node takes', async () => {
    const first = await gutsJson<{ private_key: string; peer_id: string }>(['keygen'], {})
    const second = await gutsJson<{ private_key: string; peer_id: string }>(['keygen'], {})
    expect(first.private_key).toMatch(/^[0-9a-f]{64}$/)
    expect(second.private_key).not.toBe(first.private_key)
    await using node = await NodeProcess.start({ environment: { GUTS_PRIVATE_KEY: first.private_key } })
    expect(node.lines().find(({ msg }) => msg === 'Started')).toMatchObject({ peer_id: first.peer_id })
  })

  it('keeps a key in a file for its owner alone, and replaces none', async () => {
    const file = join(directory, 'node.key')
    const made = await guts(['keygen', '--out', file])
    const key = readFileSync(file, 'utf8')
    expect(made.exitCode).toBe(0)
    expect(made.stdout).not.toContain(key.trim())
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await guts(['keygen', '--out', file])).exitCode).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(key)
    expect((await guts(['config', 'check', '--json'], { GUTS_PRIVATE_KEY_FILE: file })).stdout).toContain(
      '"private_key":true',
    )
  })
})

describe('config', () => {
  it('check names every mistake at once and ends with 78', async () => {
    const mistakes = { GUTS_LOG_LEVEL: 'loud', GUTS_RATE_LIMT: '5', GUTS_MAX_CONNECTIONS: '10001' }
    const { exitCode, stderr } = await guts(['config', 'check'], mistakes)
    expect(exitCode).toBe(78)
    expect(stderr).toContain('GUTS_LOG_LEVEL (environment): must be one of')
    expect(stderr).toContain('GUTS_RATE_LIMT (environment): is not known; did you mean GUTS_RATE_LIMIT?')
    expect(stderr).toContain('GUTS_MAX_CONNECTIONS (environment): must be a whole number from 1 to 10000')
    const json = await guts(['config', 'check', '--json'], mistakes)
    expect((JSON.parse(json.stderr) as { problems: unknown[] }).problems).toHaveLength(3)
  })

  it('print shows what takes effect and where it comes from, and no secret', async () => {
    const file = join(directory, 'guts.toml')
    writeFileSync(file, 'rate_limit = 7\n')
    const secret = 'c0ffee11'.repeat(8)
    const args = ['config', 'print', '--config', file, '--request-timeout', '9']
    const { stdout } = await guts(args, { GUTS_PRIVATE_KEY: secret, GUTS_LOG_LEVEL: 'warn' })
    expect(stdout).toMatch(/^GUTS_RATE_LIMIT +7 +.*guts\.toml:1$/m)
    expect(stdout).toMatch(/^GUTS_REQUEST_TIMEOUT +9 +flag$/m)
    expect(stdout).toMatch(/^GUTS_LOG_LEVEL +warn +environment$/m)
    expect(stdout).toMatch(/^GUTS_PRIVATE_KEY +\[hidden\] +environment$/m)
    expect(stdout).toMatch(/^GUTS_P2P_TIMEOUT +10 +default$/m)
    expect(stdout).not.toContain(secret)
    expect((await guts([...args, '--json'], { GUTS_PRIVATE_KEY: secret })).stdout).not.toContain(secret)
  })

  it('schema is JSON, docs is Markdown, and both know every variable', async () => {
    const schema = JSON.parse((await guts(['config', 'schema'])).stdout) as { properties: object }
    const docs = (await guts(['config', 'docs'])).stdout
    for (const key of Object.keys(schema.properties)) expect(docs).toContain(`| \`GUTS_${key.toUpperCase()}\` |`)
  })

  it('docs --write renews a page between its marks', async () => {
    const page = join(directory, 'page.md')
    writeFileSync(page, 'before\n<!-- config:begin -->\nold\n<!-- config:end -->\nafter\n')
    expect((await guts(['config', 'docs', '--write', page])).exitCode).toBe(0)
    expect(readFileSync(page, 'utf8')).toMatch(
      /^before\n<!-- config:begin -->\n\| variable .*<!-- config:end -->\nafter\n$/s,
    )
    writeFileSync(page, 'no marks')
    expect((await guts(['config', 'docs', '--write', page])).exitCode).toBe(1)
  })
})

describe('colours', () => {
  it.each([
    { name: 'none in a pipe', extra: {} },
    { name: 'none where NO_COLOR is set, whoever asks for them', extra: { NO_COLOR: '1', FORCE_COLOR: undefined } },
  ])('$name', async ({ extra }) => {
    const given = Object.fromEntries(
      Object.entries({ ...environment, ...extra }).filter(([, value]) => value !== undefined),
    )
    expect((await guts(['user', 'list'], given as Record<string, string>)).stdout).not.toContain('\u001b')
  })
})
