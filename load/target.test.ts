import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WrongUseError } from '../harness/errors.ts'
import { NodeProcess } from '../integration/support/node-process.ts'
import { type Environment, readNodeAddress } from './environment.ts'
import { openTarget, settledSeries, type Target } from './target.ts'

const open = async (environment: Environment): Promise<Target> => openTarget(readNodeAddress(environment))

describe('a node that a person names', () => {
  let node: NodeProcess
  let token: string

  beforeAll(async () => {
    node = await NodeProcess.start()
    ;({ token } = await node.createUser('staging'))
  })
  afterAll(() => node[Symbol.asyncDispose]())

  const count = async (): Promise<unknown[]> => (await node.api('/api/repos', token)).json() as Promise<unknown[]>

  it('is used as the user of the token, and left as it was', async () => {
    const environment = { LOAD_BASE_URL: `${node.origin}/`, LOAD_TOKEN: token, LOAD_METRICS_URL: node.internalOrigin }
    {
      await using target = await open(environment)
      expect(target).toMatchObject({ username: 'staging', baseUrl: node.origin, metricsUrl: node.internalOrigin })
      await target.createRepository('one')
      await target.createRepository('two')
      expect(target.urlOf('one')).toBe(`${node.origin}/git/staging/one.git`)
      expect(await count()).toHaveLength(2)
      const series = await settledSeries(node.internalOrigin, new AbortController().signal)
      expect(series.get('guts_http_requests_total{method="POST",path="/api/repos",status="201"}')).toBe(2)
    }
    expect(await count()).toEqual([])
  })

  it.each([
    { wrong: 'no token', given: { LOAD_TOKEN: '' }, says: 'LOAD_BASE_URL needs LOAD_TOKEN' },
    { wrong: 'a token that is not one', given: { LOAD_TOKEN: 'x' }, says: 'does not take LOAD_TOKEN: 401' },
    { wrong: 'no address', given: { LOAD_BASE_URL: 'staging' }, says: 'LOAD_BASE_URL is an address' },
    {
      wrong: 'an address where nobody listens',
      given: { LOAD_BASE_URL: 'http://127.0.0.1:1' },
      says: 'cannot be reached',
    },
    {
      wrong: 'no address of its metrics',
      given: { LOAD_METRICS_URL: 'ftp://127.0.0.1' },
      says: 'LOAD_METRICS_URL is an address',
    },
    {
      wrong: 'an address of its metrics where nobody listens',
      given: { LOAD_METRICS_URL: 'http://127.0.0.1:1' },
      says: 'LOAD_METRICS_URL: fetch failed',
    },
    { wrong: 'its own address for its metrics', given: { LOAD_METRICS_URL: 'API' }, says: '/metrics answered 404' },
  ])('is refused with $wrong', async ({ given, says }) => {
    const all = { LOAD_BASE_URL: node.origin, LOAD_TOKEN: token, ...given }
    const opening = open({ ...all, ...(all.LOAD_METRICS_URL === 'API' ? { LOAD_METRICS_URL: node.origin } : {}) })
    await expect(opening).rejects.toThrow(WrongUseError)
    await expect(opening).rejects.toThrow(says)
  })
})
