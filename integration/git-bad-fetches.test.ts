/** Fetches that cannot be: the client reads why, and the node goes on (I7). */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BAD_FETCHES } from './bad-input/fetches.ts'
import { FIRST, MB, Victim } from './bad-input/fixture.ts'
import { Git } from './support/git.ts'
import { pack, rawEntry } from './support/pack-maker.ts'
import { command, FLUSH, pkt, pushBody } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

describe('a fetch that is refused', () => {
  // Not it.each: it cuts a name after 40 characters.
  for (const { name, version, body, reason, headers } of BAD_FETCHES)
    it(name, async () => {
      const { token } = victim.host
      // The repository is public: nobody needs a token to try.
      for (const caller of [{ token }, {}]) {
        const reply = await victim.send('git-upload-pack', body, { ...caller, version, headers: headers ?? {} })
        expect(reply.reason).toMatch(reason)
        // One that goes on sending for too long is cut off; all others get an answer that git reads.
        if (reply.status !== 413) expect(reply).toMatchObject({ status: 200, lines: [expect.stringMatching(/^ERR /)] })
      }
      await victim.expectUnharmed()
    })
})

const listing = (...prefixes: readonly string[]): Buffer =>
  Buffer.concat([
    pkt('command=ls-refs\n'),
    Buffer.from('0001'),
    pkt('symrefs\n'),
    pkt('peel\n'),
    ...prefixes.map((prefix) => pkt(`ref-prefix ${prefix}\n`)),
    FLUSH,
  ])

it('a listing for one odd prefix is not what the next client gets for several plain ones', async () => {
  const list = async (...prefixes: string[]): Promise<readonly string[]> =>
    (await victim.send('git-upload-pack', listing(...prefixes), { version: '2' })).lines
  await victim.expectUnharmed()
  expect(await list('HEAD refs/heads/ refs/tags/')).toEqual([])
  expect(await list('HEAD\0refs/heads/\0refs/tags/')).toEqual([])
  expect(await list('HEAD\nrefs/heads/\nrefs/tags/')).toEqual([])
  expect(await list('HEAD', 'refs/heads/', 'refs/tags/')).toContain(`${FIRST.oid} refs/heads/main\n`)
})

it('objects of every kind can be wanted and had', async () => {
  const { gitDirectory } = victim
  const git = new Git(gitDirectory)
  const oids = (await git.run('rev-list', '--objects', '--no-object-names', 'main')).split('\n')
  expect(oids).toHaveLength(3)
  for (const want of oids) {
    for (const have of oids) {
      const body = Buffer.concat([
        pkt(`want ${want} multi_ack_detailed no-done side-band-64k thin-pack`),
        FLUSH,
        pkt(`have ${have}\n`),
        pkt('done\n'),
      ])
      const reply = await victim.send('git-upload-pack', body)
      expect(reply).toMatchObject({ status: 200, lines: [`ACK ${have} common\n`, `ACK ${have}\n`] })
    }
  }
  await victim.remember()
  await victim.expectAlive()
})

describe('the size of a request', () => {
  const filled = (bytes: number): Buffer => {
    const [head, tail] = [pushBody([command('refs/heads/size', FIRST.oid)]), 20 + 12 + 200]
    const body = pushBody(
      [command('refs/heads/size', FIRST.oid)],
      pack([rawEntry(3, randomBytes(bytes - head.length - tail))]),
    )
    return Buffer.concat([body, Buffer.alloc(Math.max(0, bytes - body.length))]).subarray(0, bytes)
  }
  const chunked = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')])

  it('at the limit it is read, with its length declared and without', async () => {
    // It is read to its end and refused for what is in it.
    const declared = await victim.send('git-receive-pack', filled(MB))
    expect(declared.reason).toMatch(/^unpack .*(damaged|bytes follow)/)
    const counted = await victim.sendChunked(chunked(filled(MB)), victim.host.token)
    expect(counted.reason).toMatch(/^unpack .*(damaged|bytes follow)/)
    await victim.expectUnharmed()
  })

  it('over the limit it is refused by its declaration, without one by its report', async () => {
    const declared = await victim.send('git-receive-pack', filled(MB + 1))
    expect(declared.status).toBe(413)
    expect(declared.reason).toMatch(/max_request_size.*1048576 bytes/)
    const counted = await victim.sendChunked(chunked(filled(MB + 1)), victim.host.token)
    expect(counted.status).toBe(200)
    expect(counted.lines[1]).toBe('ng refs/heads/size unpacker error\n')
    expect(counted.reason).toMatch(/max_request_size.*1048576 bytes/)
    await victim.expectUnharmed()
  })

  it('is that of what gzip makes of it', async () => {
    const body = gzipSync(pushBody([command('refs/heads/size', FIRST.oid)], Buffer.alloc(MB)))
    const reply = await victim.send('git-receive-pack', body, {
      token: victim.host.token,
      headers: { 'Content-Encoding': 'gzip' },
    })
    expect(reply.reason).toMatch(/max_request_size.*1048576 bytes|begin with PACK/)
    await victim.expectUnharmed()
  })
})

describe('a push in gzip', () => {
  const gzip = { 'Content-Encoding': 'gzip' }
  const body = gzipSync(pushBody([command('refs/heads/zipped', FIRST.oid)], pack([])))
  const send = (bytes: Buffer) => victim.send('git-receive-pack', bytes, { token: victim.host.token, headers: gzip })

  it('that ends early changes nothing', async () => {
    for (const length of [0, 1, 9, 10, 20, body.length - 12, body.length - 8, body.length - 1]) {
      const reply = await send(body.subarray(0, length))
      expect(reply.status, `${length} bytes`).toBe(200)
      expect(reply.reason, `${length} bytes`).toMatch(/content encoding/)
      await victim.expectUnharmed()
    }
  })

  it('that is refused before its damage is come to, is refused for that', async () => {
    const wrong = gzipSync(
      pushBody(
        [command('refs/heads/zipped', FIRST.oid)],
        Buffer.concat([Buffer.from('NOPE'.repeat(9)), randomBytes(300_000)]),
      ),
    )
    const reply = await send(wrong.subarray(0, -50))
    expect(reply.status).toBe(200)
    expect(reply.reason).toMatch(/does not begin with PACK/)
    await victim.expectUnharmed()
  })

  it('that is whole is taken', async () => {
    expect((await send(body)).lines).toEqual(['unpack ok\n', 'ok refs/heads/zipped\n'])
    await victim.expectAlive()
  })
})
