import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WrongUseError } from '../harness/errors.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { Random } from '../integration/support/random.ts'
import { readNodeAddress } from './environment.ts'
import { seed } from './seeding.ts'

const BASE = 'https://staging.example.org'
const NAMED = { LOAD_BASE_URL: BASE, LOAD_TOKEN: 'token' }

describe('a node that is named by variables', () => {
  it.each([
    { given: {}, read: undefined },
    { given: { LOAD_BASE_URL: '', LOAD_TOKEN: '', HTTPS_PROXY: 'http://proxy' }, read: undefined },
    { given: NAMED, read: { baseUrl: BASE, token: 'token', metricsUrl: undefined, network: {} } },
    {
      given: { ...NAMED, LOAD_BASE_URL: `${BASE}/guts/`, LOAD_METRICS_URL: 'http://10.0.0.1:9090//' },
      read: { baseUrl: `${BASE}/guts`, token: 'token', metricsUrl: 'http://10.0.0.1:9090', network: {} },
    },
  ])('is read from $given', ({ given, read }) => {
    expect(readNodeAddress(given)).toEqual(read)
  })

  it.each([
    { given: { LOAD_BASEURL: BASE }, says: 'There is no variable LOAD_BASEURL; did you mean LOAD_BASE_URL?' },
    { given: { ...NAMED, LOAD_METRIC_URL: BASE }, says: 'LOAD_METRIC_URL; did you mean LOAD_METRICS_URL?' },
    { given: { LOAD_SEED: '', LOAD_TOKEN: 'x' }, says: 'LOAD_TOKEN without LOAD_BASE_URL' },
    {
      given: { LOAD_TOKEN: 'x', LOAD_METRICS_URL: BASE },
      says: 'LOAD_TOKEN and LOAD_METRICS_URL without LOAD_BASE_URL',
    },
    { given: { LOAD_BASE_URL: BASE, LOAD_TOKEN: '' }, says: 'LOAD_BASE_URL needs LOAD_TOKEN' },
    { given: { ...NAMED, LOAD_BASE_URL: 'staging' }, says: 'LOAD_BASE_URL is an address such as' },
    { given: { ...NAMED, LOAD_METRICS_URL: 'ftp://127.0.0.1' }, says: 'LOAD_METRICS_URL is an address such as' },
    {
      given: { ...NAMED, LOAD_BASE_URL: 'https://alice:hunter2@host' },
      says: 'LOAD_BASE_URL is an address without user',
    },
    {
      given: { ...NAMED, LOAD_METRICS_URL: 'http://:hunter2@host' },
      says: 'LOAD_METRICS_URL is an address without user',
    },
    { given: { ...NAMED, LOAD_BASE_URL: `${BASE}?token=hunter2` }, says: 'LOAD_BASE_URL is an address without user' },
    { given: { ...NAMED, LOAD_BASE_URL: `${BASE}/#hunter2` }, says: 'LOAD_BASE_URL is an address without user' },
  ])('is refused by $says', ({ given, says }) => {
    const read = (): unknown => readNodeAddress(given)
    expect(read).toThrow(WrongUseError)
    expect(read).toThrow(says)
    expect(read).not.toThrow('hunter2')
  })

  it('is reached as whoever names it reaches it', () => {
    const proxies = { HTTP_PROXY: 'http://one', https_proxy: 'http://two', NO_PROXY: 'a', no_proxy: 'b' }
    const authorities = { SSL_CERT_FILE: '/a', SSL_CERT_DIR: '/b', GIT_SSL_CAINFO: '/c', NODE_EXTRA_CA_CERTS: '/d' }
    const environment = { ...NAMED, ...proxies, ...authorities, AWS_SECRET: 'secret', GIT_SSH: 'x' }
    expect(readNodeAddress(environment)?.network).toEqual({ ...proxies, ...authorities, http_proxy: 'http://one' })
  })
})

it('is filled through the proxy', async () => {
  using folder = temporaryFolder('load-proxy')
  const asked: string[] = []
  const proxy = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.writeHead(403).end()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  // Nobody can reach it but by a proxy.
  const address = readNodeAddress({ ...NAMED, LOAD_BASE_URL: 'http://staging.invalid', HTTP_PROXY })
  const target = {
    baseUrl: 'http://staging.invalid',
    username: 'alice',
    token: 'token',
    metricsUrl: undefined,
    network: address?.network ?? {},
    createRepository: async () => {},
    urlOf: (name: string) => `http://staging.invalid/git/alice/${name}.git`,
    [Symbol.asyncDispose]: async () => {},
  }
  const { signal } = new AbortController()
  const filling = seed({ target, folder: folder.path, random: new Random(1), pushCount: 0, signal })
  await expect(filling).rejects.toThrow('403')
  proxy.close()
  expect(asked[0]).toBe('http://staging.invalid/git/alice/load-1-0.git/info/refs?service=git-receive-pack')
})
