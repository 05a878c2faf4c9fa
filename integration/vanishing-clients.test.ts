/** Clients that go in the middle, crawl, or stop: nothing of them stays, and a push is wholly there or not at all (I4, I8). */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Victim } from './bad-input/fixture.ts'
import { expectAtRest } from './support/at-rest.ts'
import { type Held, heldBy, threadsOf } from './support/held.ts'
import { fsck } from './support/git.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { Random } from './support/random.ts'
import { RawConnection } from './support/raw-connection.ts'
import { encodeRequest } from './support/raw-http.ts'
import { storedIn } from './support/stored.ts'
import { command, FLUSH, pkt, postHeaders, pushBody, type Service } from './support/wire.ts'

const ROUNDS = 40
const SEED = 8_112_026
const BIG_BYTES = 24 * 2 ** 20
const EARLY_BYTES = 3 * 2 ** 20

let victim: Victim
let big: string
let rest: Held
const random = new Random(SEED)

beforeAll(async () => {
  victim = await Victim.start({
    GUTS_MAX_REQUEST_SIZE_MB: '100',
    GUTS_MAX_INFLATED_SIZE_MB: '100',
    GUTS_MAX_OBJECT_SIZE_MB: '50',
    GUTS_REQUEST_TIMEOUT: '2',
  })
  // Two packs, so that a clone of both has to be built.
  const made = noise(BIG_BYTES)
  big = made.tip
  await victim.push([command('refs/heads/big', big)], made.bytes)
  await victim.remember()
  await clone().then(readWhole)
  rest = await settled()
})
afterAll(() => victim[Symbol.asyncDispose]())

/** After the keep-alive connections of earlier requests are gone. */
async function settled(): Promise<Held> {
  return vi.waitFor(
    async () => {
      const held = await heldBy(victim.node)
      expect(Object.values(held.gauges)).toEqual(Object.values(held.gauges).map(() => 0))
      expect([held.passingFiles, held.quarantine, held.children]).toEqual([[], [], []])
      return held
    },
    { timeout: 20_000, interval: 100 },
  )
}

/** A commit with one file that cannot be compressed, different in every round. */
function noise(bytes: number): { tip: string; bytes: Buffer } {
  const hash = createHash('shake256', { outputLength: bytes }).update(String(random.below(2 ** 32)))
  const file = blob(hash.digest())
  const root = tree(['100644', 'noise', file.oid])
  const tip = commit(root.oid)
  return { tip: tip.oid, bytes: pack([file, root, tip].map((one) => whole(one))) }
}

function request(service: Service, body: Uint8Array): Buffer {
  const headers = postHeaders({ service, token: victim.host.token })
  return encodeRequest({ method: 'POST', path: `/git/alice/site.git/${service}`, headers, body })
}

const fetchBody = (): Buffer => Buffer.concat([pkt(`want ${big} side-band-64k ofs-delta\n`), FLUSH, pkt('done\n')])

async function clone(): Promise<RawConnection> {
  const connection = await RawConnection.open(victim.node.ports.api)
  connection.send(request('git-upload-pack', fetchBody()))
  return connection
}

async function readWhole(connection: RawConnection): Promise<Buffer> {
  using _connection = connection
  return (await connection.answer()).body
}

describe('a client that vanishes', () => {
  const pushMoments = [
    'in its headers',
    'in its commands',
    'in its pack',
    'at the end of its pack',
    'while its pack is checked',
  ] as const

  it.each(pushMoments)('in a push, %s', async (moment) => {
    for (let round = 0; round < ROUNDS / pushMoments.length; round++) {
      const ref = `refs/heads/${moment.replaceAll(' ', '-')}-${round}`
      // Of large packs the check begins while they come.
      const isLarge = round < 2 && moment.endsWith('its pack')
      const made = noise(isLarge ? EARLY_BYTES : random.below(400_000) + 20_000)
      const commands = [command(ref, made.tip)]
      const bytes = request('git-receive-pack', pushBody(commands, made.bytes))
      const bodyAt = bytes.length - made.bytes.length - FLUSH.length - (commands[0]?.length ?? 0)
      const packAt = bytes.length - made.bytes.length
      const cut = {
        'in its headers': random.below(bodyAt - 1) + 1,
        'in its commands': bodyAt + random.below(packAt - bodyAt),
        'in its pack': packAt + (isLarge ? EARLY_BYTES / 2 : 0) + random.below(made.bytes.length / 2),
        'at the end of its pack': bytes.length - 1 - random.below(30),
        'while its pack is checked': bytes.length,
      }[moment]
      const before = storedIn(victim.node.dataDirectory)
      using connection = await RawConnection.open(victim.node.ports.api)
      connection.send(bytes.subarray(0, cut))
      await connection.flushed()
      if (round % 2 === 0) connection.vanish()
      else connection[Symbol.dispose]()
      await expectAtRest(victim.node, rest)
      const why = `${moment}, cut at ${cut} of ${bytes.length}, round ${round}, seed ${SEED}`
      await fsck(victim.gitDirectory)
      if (moment !== 'while its pack is checked') expect(storedIn(victim.node.dataDirectory), why).toEqual(before)
      else if (!victim.refsInDatabase().includes(ref)) expect(storedIn(victim.node.dataDirectory), why).toEqual(before)
    }
    await victim.expectAlive()
    await expectAtRest(victim.node, rest)
  })

  it('in a push, when the first bytes of its report are there: the push is wholly there', async () => {
    const made = noise(100_000)
    using connection = await RawConnection.open(victim.node.ports.api)
    connection.send(request('git-receive-pack', pushBody([command('refs/heads/reported', made.tip)], made.bytes)))
    await connection.received(() => connection.pending.includes('unpack ok'))
    connection.vanish()
    await expectAtRest(victim.node, rest)
    expect(victim.refsInDatabase()).toContain('refs/heads/reported')
    await victim.expectAlive()
  })

  it('in a clone, before the answer, in the pack, and near its end', async () => {
    const threadsBefore = threadsOf(victim.node)
    const length = (await readWhole(await clone())).length
    for (let round = 0; round < ROUNDS; round++) {
      const after = [0, 1, random.below(length), length - 10][round % 4] ?? 0
      using connection = await clone()
      if (after > 0) await connection.received(() => connection.pending.length >= after)
      else await connection.flushed()
      if (random.chance(0.5)) connection.vanish()
      else connection[Symbol.dispose]()
    }
    await expectAtRest(victim.node, rest)
    expect(threadsOf(victim.node)).toBeLessThanOrEqual(threadsBefore + 5)
    expect((await readWhole(await clone())).length).toBe(length)
    await victim.expectAlive()
  })

  it('in many clones at once that nobody has built yet: the last one that stays gets its pack', async () => {
    const made = noise(4 * 2 ** 20)
    await victim.push([command('refs/heads/shared', made.tip)], made.bytes)
    await victim.remember()
    const body = Buffer.concat([pkt(`want ${big} side-band-64k\n`), pkt(`want ${made.tip}\n`), FLUSH, pkt('done\n')])
    const open = async (): Promise<RawConnection> => {
      const connection = await RawConnection.open(victim.node.ports.api)
      connection.send(request('git-upload-pack', body))
      await connection.flushed()
      return connection
    }
    const impatient = await Promise.all(Array.from({ length: 8 }, open))
    const patient = await open()
    for (const connection of impatient) connection.vanish()
    expect((await readWhole(patient)).length).toBeGreaterThan(BIG_BYTES)
    await expectAtRest(victim.node, rest)
    await victim.expectAlive()
  })
})

describe('a client that reads', () => {
  it('very slowly, gets all of it: it is not standing still', async () => {
    const everything = await readWhole(await clone())
    using connection = await clone()
    const startedAtMs = performance.now()
    await connection.readSlowly({ bytes: 512 * 1024, everyMs: 80 })
    expect(connection.pending.subarray(-everything.length).equals(everything)).toBe(true)
    // Else this did not try what it says.
    expect(performance.now() - startedAtMs).toBeGreaterThan(2_000)
    await expectAtRest(victim.node, rest)
  })

  it.each([{ name: 'a pack', send: () => request('git-upload-pack', fetchBody()) }])(
    'nothing at all of $name, is cut off',
    async ({ send }) => {
      using connection = await RawConnection.open(victim.node.ports.api)
      const before = (await victim.node.metric('guts_timeouts_total{operation="transfer"}')) ?? 0
      connection.stopReading()
      connection.send(send())
      await vi.waitFor(
        async () => {
          expect(await victim.node.metric('guts_timeouts_total{operation="transfer"}')).toBe(before + 1)
        },
        { timeout: 20_000, interval: 100 },
      )
      await expectAtRest(victim.node, await settled())
    },
  )

  it.each([100_000, EARLY_BYTES])(
    'and sends nothing more in the middle of a push of %i bytes, is told so',
    async (size) => {
      const made = noise(size)
      const bytes = request('git-receive-pack', pushBody([command('refs/heads/stuck', made.tip)], made.bytes))
      const before = storedIn(victim.node.dataDirectory)
      using connection = await RawConnection.open(victim.node.ports.api)
      connection.send(bytes.subarray(0, -1_000))
      const { status, body } = await connection.answer()
      expect([status, body.toString()]).toEqual([504, 'No progress for 2 s\n'])
      await connection.closed()
      await expectAtRest(victim.node, await settled())
      expect(storedIn(victim.node.dataDirectory)).toEqual(before)
    },
  )
})
