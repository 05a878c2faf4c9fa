/** A million of what a client may send or ask for line by line: so many are served, one more is refused (I7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordCost } from './bad-input/cost.ts'
import { FIRST, Victim } from './bad-input/fixture.ts'
import { ask, type RawAnswer } from './support/raw-http.ts'
import { FLUSH, pkt, postHeaders } from './support/wire.ts'

const MILLION = 1_000_000

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start({
    GUTS_MAX_REQUEST_SIZE_MB: '100',
    GUTS_MAX_WANTS: String(MILLION),
    GUTS_MAX_HAVES: String(MILLION),
  })
})
afterAll(() => victim[Symbol.asyncDispose]())

const fetches = (body: Buffer): Promise<RawAnswer> => {
  const headers = postHeaders({ service: 'git-upload-pack', token: victim.host.token })
  const path = '/git/alice/site.git/git-upload-pack'
  return ask(victim.node.ports.api, { method: 'POST', path, headers, body })
}

const want = pkt(`want ${FIRST.oid}\n`)
const wants = (count: number): Buffer => Buffer.alloc(count * want.length, want)

/** All different, and none of them here. */
function haves(count: number): Buffer {
  const [line, digits] = [pkt(`have ${'0'.repeat(40)}\n`), 9]
  const bytes = Buffer.alloc(count * line.length, line)
  for (let number = 0; number < count; number++) {
    bytes.write(String(number).padStart(digits, '0'), number * line.length + '0032have '.length, 'latin1')
  }
  return bytes
}

describe('a fetch with a million', () => {
  const done = pkt('done\n')
  it.each([
    {
      of: 'wants',
      body: (count: number) => [wants(count), FLUSH, done],
      limit: /Too many wants.*max_wants.* 1000000$/m,
    },
    {
      of: 'haves',
      body: (count: number) => [want, FLUSH, haves(count), done],
      limit: /Too many haves.*max_haves.* 1000000$/m,
    },
  ])('$of is served, and one more is refused', async ({ of, body, limit }) => {
    const served = await recordCost(victim.node, `a million ${of}`, () => fetches(Buffer.concat(body(MILLION))))
    expect(served.result.body.toString('latin1')).toMatch(/^0008NAK\nPACK/)
    const refused = await recordCost(victim.node, `a million ${of} and one`, () =>
      fetches(Buffer.concat(body(MILLION + 1))),
    )
    expect(refused.result.body.toString()).toMatch(limit)
    expect(victim.node.running).toBe(true)
    await victim.expectNothingLeft()
  })
})
