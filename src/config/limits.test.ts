import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIELDS } from './fields.ts'
import type { Config } from './schema.ts'
import { load, problemsOf, TestFiles } from './testing.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const PEER_ADDRESS = `/ip4/192.0.2.1/tcp/9000/p2p/${PEER}`
const SEED = '0123456789abcdef'.repeat(4)
const times = (count: number, item: string): string => Array.from({ length: count }, () => item).join(',')

interface Row {
  readonly key: keyof Config
  /** As text → what the node gets. */
  readonly taken: Readonly<Record<string, unknown>>
  readonly refused: readonly string[]
}

/** Written as numbers are: nothing that Number() would also read. */
const NO_NUMBERS = ['1.5', '1e3', '0x10', '+5', ' 5', '5 ', '05', 'five', '-1', '99999999999999999999']

function whole(key: keyof Config, min: number, max: number, unit = 1): Row {
  return {
    key,
    taken: { [min]: min * unit, [max]: max * unit },
    refused: [String(min - 1), String(max + 1), ...NO_NUMBERS],
  }
}

const MB = 2 ** 20

function address(key: keyof Config): Row {
  return {
    key,
    taken: {
      '127.0.0.1:1': { host: '127.0.0.1', port: 1 },
      'localhost:65535': { host: 'localhost', port: 65_535 },
      '[::1]:7000': { host: '::1', port: 7000 },
    },
    refused: [
      '7000',
      ':7000',
      '127.0.0.1:',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      '::1:7000',
      '256.0.0.1:7',
      'a b:7',
      'a:07',
    ],
  }
}

const ROWS: Readonly<Record<string, Row>> = {
  GUTS_API_ADDR: address('apiAddress'),
  GUTS_P2P_ADDR: address('p2pAddress'),
  GUTS_METRICS_ADDR: address('metricsAddress'),
  GUTS_PRIVATE_KEY: {
    key: 'privateKeySeed',
    taken: {
      [SEED]: new Uint8Array(Buffer.from(SEED, 'hex')),
      [SEED.toUpperCase()]: new Uint8Array(Buffer.from(SEED, 'hex')),
    },
    refused: [SEED.slice(1), `${SEED}0`, `0x${SEED.slice(2)}`, `${SEED.slice(1)}g`],
  },
  GUTS_LOG_LEVEL: {
    key: 'logLevel',
    taken: { trace: 'trace', debug: 'debug', info: 'info', warn: 'warn', error: 'error' },
    refused: ['fatal', 'silent', 'INFO', 'info '],
  },
  GUTS_LOG_FORMAT: { key: 'logFormat', taken: { json: 'json', pretty: 'pretty' }, refused: ['text', 'JSON'] },
  GUTS_DATA_DIR: {
    key: 'dataDirectory',
    taken: {
      '/srv/guts': '/srv/guts',
      'some/where': resolve('some/where'),
      [`/${'a'.repeat(4095)}`]: `/${'a'.repeat(4095)}`,
    },
    refused: [`/${'a'.repeat(4096)}`, '/a\0b'],
  },
  GUTS_MIN_FREE_MB: whole('minFreeBytes', 0, 1_000_000, MB),
  GUTS_DEFAULT_BRANCH: {
    key: 'defaultBranch',
    taken: { trunk: 'trunk', 'release/1.0': 'release/1.0', ['a'.repeat(200)]: 'a'.repeat(200) },
    refused: ['a'.repeat(201), 'HEAD', '-a', 'a..b', 'a.lock', 'a/', '/a', 'a b', 'a~1', 'a//b', '.a', 'a.'],
  },
  GUTS_MAX_CONNECTIONS: whole('connectionsMax', 1, 10_000),
  GUTS_MAX_REQUEST_SIZE_MB: whole('requestBytesMax', 1, 1000, MB),
  GUTS_MAX_JSON_SIZE_KB: whole('jsonBytesMax', 1, 10_240, 1024),
  GUTS_REQUEST_TIMEOUT: whole('requestTimeoutS', 1, 3600),
  GUTS_DRAIN_TIMEOUT: whole('drainTimeoutS', 0, 3600),
  GUTS_RATE_LIMIT: whole('rateLimitPerMinute', 0, 1_000_000),
  GUTS_CORS_ORIGINS: {
    key: 'corsOrigins',
    taken: {
      'https://example.org, http://localhost:3000': ['https://example.org', 'http://localhost:3000'],
      [times(1000, 'https://a.org')]: times(1000, 'https://a.org').split(','),
    },
    refused: [
      times(1001, 'https://a.org'),
      '*',
      'example.org',
      'https://example.org/',
      'https://example.org:443',
      'ftp://a.org',
    ],
  },
  GUTS_TRUSTED_PROXIES: {
    key: 'trustedProxies',
    taken: { '10.0.0.0/8,::1,192.0.2.1/32,fd00::/128': ['10.0.0.0/8', '::1', '192.0.2.1/32', 'fd00::/128'] },
    refused: ['10.0.0.0/33', 'fd00::/129', 'proxy', '10.0.0.0/', '10.0.0', times(1001, '::1')],
  },
  GUTS_PUBLIC_URL: {
    key: 'publicUrl',
    taken: { 'https://git.example.org/': 'https://git.example.org', 'http://a.org:8080/git': 'http://a.org:8080/git' },
    refused: [
      'git.example.org',
      'https://alice:pw@a.org',
      'https://a.org?b',
      'https://a.org#b',
      'ssh://a.org',
      'https://',
    ],
  },
  GUTS_MAX_PACK_OBJECTS: whole('packObjectsMax', 1, 50_000_000),
  GUTS_MAX_OBJECT_SIZE_MB: whole('objectBytesMax', 1, 2047, MB),
  GUTS_MAX_INFLATED_SIZE_MB: whole('packInflatedBytesMax', 1, 1_048_576, MB),
  GUTS_MAX_DELTA_DEPTH: whole('deltaDepthMax', 1, 4095),
  GUTS_MAX_PUSH_COMMANDS: whole('pushCommandsMax', 1, 1_000_000),
  GUTS_MAX_WANTS: whole('wantsMax', 1, 1_000_000),
  GUTS_MAX_HAVES: whole('havesMax', 1, 10_000_000),
  GUTS_MAX_ADVERTISED_REFS: whole('advertisedRefsMax', 1, 10_000_000),
  GUTS_PRUNE_GRACE_DAYS: whole('pruneGraceDays', 1, 3650),
  GUTS_BOOTSTRAP_PEERS: {
    key: 'bootstrapPeers',
    taken: { [`${PEER_ADDRESS},/dns4/a.org/tcp/1/p2p/${PEER}`]: [PEER_ADDRESS, `/dns4/a.org/tcp/1/p2p/${PEER}`] },
    refused: [
      '/ip4/192.0.2.1/tcp/9000',
      PEER,
      '192.0.2.1:9000',
      `/ip4/1.2.3/tcp/1/p2p/${PEER}`,
      times(1001, PEER_ADDRESS),
    ],
  },
  GUTS_ALLOWED_PEERS: {
    key: 'allowedPeers',
    taken: { [PEER]: [PEER] },
    refused: [PEER.slice(0, -1), `${PEER}a`, `${PEER.slice(0, -1)}0`, 'Qm'.padEnd(52, 'a'), times(1001, PEER)],
  },
  GUTS_ANNOUNCE_ADDRS: {
    key: 'announceAddresses',
    taken: { '/dns4/git.example.org/tcp/9000,/ip6/::1/tcp/1': ['/dns4/git.example.org/tcp/9000', '/ip6/::1/tcp/1'] },
    refused: [PEER_ADDRESS, '/ip4/192.0.2.1/udp/9000', '/ip4/192.0.2.1/tcp/0', '/ip6/fe80::1%eth0/tcp/1', '/tcp/1'],
  },
  GUTS_P2P_MIN_PEERS: whole('p2pMinPeers', 0, 1000),
  GUTS_P2P_TIMEOUT: whole('p2pTimeoutS', 1, 3600),
  GUTS_P2P_SYNC_INTERVAL: whole('p2pSyncIntervalS', 1, 3600),
  GUTS_RETRY_MAX_ATTEMPTS: whole('retryAttemptsMax', 1, 100),
  GUTS_CIRCUIT_BREAKER_THRESHOLD: whole('circuitBreakerThreshold', 1, 1000),
}

// Takes no value of its own: its rules are those of a path and of the file's content, tested in load.test.ts.
const FILE_OF_SECRET = 'GUTS_PRIVATE_KEY_FILE'

describe('every variable at its limits', () => {
  it('has a row here', () => {
    expect([...Object.keys(ROWS), FILE_OF_SECRET].sort()).toEqual(FIELDS.map((field) => field.env).sort())
  })

  describe.each(Object.entries(ROWS))('%s', (variable, { key, taken, refused }) => {
    it.each(Object.keys(taken))('takes %s', (text) => {
      expect(load({ [variable]: text })[key]).toEqual(taken[text])
    })

    it.each([...refused, ''])('refuses %s', (text) => {
      const [problem, ...more] = problemsOf({ [variable]: text })
      expect(problem).toMatchObject({ name: variable, origin: 'environment' })
      // One sentence that names the rule; for a list at most one an item.
      if (text.length < 1000) expect(more).toEqual([])
      expect(problem?.message).toMatch(/must be|is empty/)
    })
  })

  it('takes port 0 from code in this process alone', () => {
    const environment = { GUTS_API_ADDR: '127.0.0.1:0', GUTS_P2P_ADDR: '127.0.0.1:0', GUTS_METRICS_ADDR: '127.0.0.1:0' }
    expect(load(environment, { allowPortZero: true }).apiAddress).toEqual({ host: '127.0.0.1', port: 0 })
    expect(problemsOf(environment)).toHaveLength(3)
  })

  it.each([
    { name: 'a file is limited to a mebibyte', bytes: 2 ** 20, message: /must hold/ },
    { name: 'one byte more is refused for its size', bytes: 2 ** 20 + 1, message: /larger than 1048576 bytes/ },
  ])('$name', ({ bytes, message }) => {
    using files = new TestFiles()
    const [problem] = problemsOf({ [FILE_OF_SECRET]: files.write('key', Buffer.alloc(bytes, 'a')) })
    expect(problem?.message).toMatch(message)
  })
})
