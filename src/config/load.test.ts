import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from './load.ts'
import { load, problemsOf, TestFiles } from './testing.ts'

const SEED = 'c0ffee00'.repeat(8)
const BOOTSTRAP = '/ip4/192.0.2.1/tcp/9000/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

describe('defaults', () => {
  it('are what DESIGN §4.2 says', () => {
    expect(load()).toMatchObject({
      apiAddress: { host: '0.0.0.0', port: 8080 },
      p2pAddress: { host: '0.0.0.0', port: 9000 },
      metricsAddress: { host: '0.0.0.0', port: 9090 },
      logLevel: 'info',
      logFormat: 'json',
      privateKeySeed: undefined,
      connectionsMax: 10_000,
      requestBytesMax: 100 * 2 ** 20,
      requestTimeoutS: 30,
      p2pTimeoutS: 10,
      retryAttemptsMax: 3,
      circuitBreakerThreshold: 5,
      rateLimitPerMinute: 6000,
      minFreeBytes: undefined,
      p2pMinPeers: 0,
    })
  })

  it('demand one peer where bootstrap peers are set, unless the operator says otherwise', () => {
    expect(load({ GUTS_BOOTSTRAP_PEERS: BOOTSTRAP }).p2pMinPeers).toBe(1)
    expect(load({ GUTS_BOOTSTRAP_PEERS: BOOTSTRAP, GUTS_P2P_MIN_PEERS: '0' }).p2pMinPeers).toBe(0)
  })
})

describe('precedence', () => {
  it.each(['toml', 'yaml'])('is default, %s file, environment, flag', (extension) => {
    using files = new TestFiles()
    const line = (key: string, value: number): string =>
      extension === 'toml' ? `${key} = ${value}\n` : `${key}: ${value}\n`
    const keys = ['request_timeout', 'drain_timeout', 'p2p_timeout']
    const file = files.write(`guts.${extension}`, keys.map((key) => line(key, 11)).join(''))
    const environment = { GUTS_CONFIG: file, GUTS_DRAIN_TIMEOUT: '12', GUTS_P2P_TIMEOUT: '12' }
    const { config, entries } = loadConfig({ environment, flags: { p2p_timeout: '13' }, requirePrivateKey: false })
    expect(config).toMatchObject({ requestTimeoutS: 11, drainTimeoutS: 12, p2pTimeoutS: 13, retryAttemptsMax: 3 })
    const origins = new Map(entries.map(({ field, origin }) => [field.key, origin]))
    expect(keys.map((key) => origins.get(key))).toEqual([`${file}:1`, 'environment', 'flag'])
    expect(origins.get('retry_max_attempts')).toBe('default')
  })

  it('puts the defaults of a command below everything an operator sets', () => {
    const defaults = { api_addr: '127.0.0.1:8080', log_format: 'pretty' }
    const config = load({ GUTS_LOG_FORMAT: 'json' }, { defaults })
    expect(config).toMatchObject({ apiAddress: { host: '127.0.0.1', port: 8080 }, logFormat: 'json' })
  })

  it('takes the file of the flag before that of the variable', () => {
    using files = new TestFiles()
    const file = files.write('flag.yml', 'request_timeout: 5\n')
    expect(load({ GUTS_CONFIG: '/nowhere.toml' }, { file }).requestTimeoutS).toBe(5)
  })

  it('refuses a wrong value also where a stronger source replaces it', () => {
    using files = new TestFiles()
    const file = files.write('guts.toml', 'request_timeout = 0\n')
    expect(problemsOf({ GUTS_CONFIG: file, GUTS_REQUEST_TIMEOUT: '5' })).toEqual([
      { name: 'request_timeout', origin: `${file}:1`, message: 'must be a whole number from 1 to 3600' },
    ])
  })
})

describe('files', () => {
  const LISTS = {
    toml: 'cors_origins = ["https://a.org"]\nlog_level = "warn"\n',
    yaml: 'cors_origins:\n  - https://a.org\nlog_level: warn\n',
  }
  it.each(Object.entries(LISTS))('in %s hold texts, numbers and lists', (extension, content) => {
    using files = new TestFiles()
    const file = files.write(`guts.${extension}`, content)
    expect(load({}, { file })).toMatchObject({ corsOrigins: ['https://a.org'], logLevel: 'warn' })
  })

  it.each([
    { name: 'a.toml', content: 'request_timeout = "5"\n', line: 1, message: 'must be a whole number from 1 to 3600' },
    { name: 'a.toml', content: '\n[log_level]\na = 1\n', line: 2, message: /^must be one of trace/ },
    { name: 'a.toml', content: 'log_level = \n', line: 1, message: /^Invalid TOML document/ },
    { name: 'a.yaml', content: '# one\nrequest_timeout: true\n', line: 2, message: /^must be a whole number/ },
    { name: 'a.yaml', content: 'cors_origins:\n  - 5\n', line: 1, message: 'item 1 must be a text' },
    { name: 'a.yaml', content: 'log_level: warn\nlog_level: info\n', line: 2, message: /DUPLICATE_KEY/ },
    { name: 'a.yaml', content: '- a\n', line: 1, message: /must be a mapping/ },
    { name: 'a.json', content: '{}', line: undefined, message: /must end in/ },
    { name: 'a.toml', content: new Uint8Array([0xff, 0xfe]), line: undefined, message: 'is not UTF-8 text' },
    { name: 'a.toml', content: new Uint8Array(2 ** 20 + 1), line: undefined, message: /larger than/ },
  ])('$name with a mistake: $message', ({ name, content, line, message }) => {
    using files = new TestFiles()
    const file = files.write(name, content)
    const [problem, ...more] = problemsOf({}, { file })
    expect(more).toEqual([])
    expect(problem?.origin).toBe(line === undefined ? 'flag' : `${file}:${line}`)
    expect(problem?.message).toMatch(message)
  })

  it('refuse aliases that would grow without end', () => {
    using files = new TestFiles()
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((key, i) => `${key}: &${key} [${`*${'abcdefghi'[i]},`.repeat(9)}]`),
    ]
    const problems = problemsOf({}, { file: files.write('a.yaml', `${bomb.join('\n')}\n`) })
    expect(problems.some(({ message }) => message.includes('too many aliases'))).toBe(true)
  })

  it.each(['/nowhere/guts.toml', tmp()])('that cannot be read are a mistake: %s', (file) => {
    expect(problemsOf({ GUTS_CONFIG: file })).toEqual([
      {
        name: 'GUTS_CONFIG',
        origin: 'environment',
        message: expect.stringMatching(/cannot be read \(ENOENT\)|is not a file|must end/),
      },
    ])
  })
})

function tmp(): string {
  return join(import.meta.dirname, '..')
}

describe('unknown names', () => {
  it.each([
    {
      source: 'a variable',
      options: [{ GUTS_API_ADRR: 'x' }, {}] as const,
      name: 'GUTS_API_ADRR',
      nearest: 'GUTS_API_ADDR',
    },
    {
      source: 'a flag',
      options: [{}, { flags: { log_levle: 'info' } }] as const,
      name: 'log_levle',
      nearest: 'log_level',
    },
  ])('of $source come with the nearest known one', ({ options: [environment, options], name, nearest }) => {
    expect(problemsOf(environment, options)).toEqual([
      expect.objectContaining({ name, nearest, message: 'is not known' }),
    ])
  })

  it.each(['toml', 'yaml'])('of a %s file come with their line', (extension) => {
    using files = new TestFiles()
    const [a, b] = extension === 'toml' ? [' = 1', ' = 2'] : [': 1', ': 2']
    const file = files.write(`a.${extension}`, `request_timeout${a}\nrate_limits${b}\n`)
    expect(problemsOf({}, { file })).toEqual([
      { name: 'rate_limits', origin: `${file}:2`, message: 'is not known', nearest: 'rate_limit' },
    ])
  })

  it.each(['GUTS_SOMETHING_ENTIRELY_DIFFERENT', 'GUTS_X'])('have no suggestion where nothing is near: %s', (name) => {
    expect(problemsOf({ [name]: '1' })[0]).not.toHaveProperty('nearest')
  })

  it('that Kubernetes sets are explained', () => {
    expect(problemsOf({ GUTS_SERVICE_HOST: '10.0.0.1' })[0]?.message).toContain('enableServiceLinks')
  })

  it('of other programs are nobody’s business', () => {
    expect(problemsOf({ PATH: '/bin', GUTSY: '1', LOAD_USERS: '5' })).toEqual([])
  })
})

describe('all mistakes', () => {
  it('are reported at once, each with its origin', () => {
    using files = new TestFiles()
    const file = files.write('a.toml', 'log_level = "loud"\nmax_conections = 5\n')
    const environment = { GUTS_CONFIG: file, GUTS_RATE_LIMIT: '-1', GUTS_P2P_ADDR: '0.0.0.0:8080', GUTS_NOPE: '1' }
    const problems = problemsOf(environment, { flags: { data_dir: '' }, requirePrivateKey: true })
    expect(problems.map(({ name, origin }) => `${name} ${origin}`).sort()).toEqual([
      'GUTS_NOPE environment',
      'GUTS_P2P_ADDR environment',
      'GUTS_PRIVATE_KEY default',
      'GUTS_RATE_LIMIT environment',
      'data_dir flag',
      `log_level ${file}:1`,
      `max_conections ${file}:2`,
    ])
  })

  it('include two listeners on one port', () => {
    const clash = { GUTS_API_ADDR: '127.0.0.1:9090', GUTS_METRICS_ADDR: '0.0.0.0:9090' }
    expect(problemsOf(clash)).toEqual([
      {
        name: 'GUTS_METRICS_ADDR',
        origin: 'environment',
        message: 'needs the same port as GUTS_API_ADDR (environment)',
      },
    ])
    expect(problemsOf({ ...clash, GUTS_METRICS_ADDR: '127.0.0.2:9090' })).toEqual([])
  })
})

describe('secrets', () => {
  it('come from a file, with or without a line end', () => {
    using files = new TestFiles()
    for (const content of [SEED, `${SEED}\n`, `${SEED}\r\n`]) {
      const seed = load(
        { GUTS_PRIVATE_KEY_FILE: files.write('key', content) },
        { requirePrivateKey: true },
      ).privateKeySeed
      expect(seed).toEqual(new Uint8Array(Buffer.from(SEED, 'hex')))
    }
  })

  it('are refused from two places at once', () => {
    using files = new TestFiles()
    const environment = { GUTS_PRIVATE_KEY: SEED, GUTS_PRIVATE_KEY_FILE: files.write('key', SEED) }
    expect(problemsOf(environment)[0]?.message).toMatch(/set together with GUTS_PRIVATE_KEY_FILE/)
  })

  it('have no flag', () => {
    const { entries } = loadConfig({ environment: {}, requirePrivateKey: false })
    expect(entries.find(({ field }) => field.name === 'privateKey')?.field.flag).toBeUndefined()
  })

  it.each([
    'GUTS_PRIVATE_KEY',
    'GUTS_LOG_LEVEL',
    'GUTS_API_ADDR',
    'GUTS_RATE_LIMIT',
    'GUTS_CORS_ORIGINS',
    'GUTS_CONFIG',
  ])('in the wrong place are not quoted: %s', (variable) => {
    const secret = `${SEED}z`
    expect(JSON.stringify(problemsOf({ [variable]: secret }))).not.toContain(SEED.slice(0, 12))
  })

  it.each([
    { name: 'a.toml', content: `private_key = ${SEED}\n` },
    { name: 'a.toml', content: `private_key = "${SEED}z"\n` },
    { name: 'b.yaml', content: `private_key: [${SEED}\n` },
    { name: 'b.yaml', content: `private_key: ${SEED}z\n` },
    { name: 'key', content: `${SEED}z` },
  ])('in a wrong file are not quoted: $name $content', ({ name, content }) => {
    using files = new TestFiles()
    const path = files.write(name, content)
    const problems = problemsOf(name === 'key' ? { GUTS_PRIVATE_KEY_FILE: path } : { GUTS_CONFIG: path })
    expect(problems).not.toEqual([])
    expect(JSON.stringify(problems)).not.toContain(SEED.slice(0, 12))
  })
})
