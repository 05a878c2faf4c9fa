/** Packs that lie: the pusher reads why, C git is of the same opinion, and nothing of them stays (I4, I7). */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BAD_PACKS,
  DEPTH_AT_LIMIT,
  GOOD_PACK,
  GOOD_TIP,
  INFLATED_AT_LIMIT,
  OBJECT_AT_LIMIT,
  OBJECTS_AT_LIMIT,
} from './bad-input/packs.ts'
import { FIRST, Victim } from './bad-input/fixture.ts'
import { Git, temporaryFolder } from './support/git.ts'
import { Random } from './support/random.ts'
import { withChecksum } from './support/pack-maker.ts'
import { command } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

describe('a pack that is refused', () => {
  // Not it.each: it cuts a name after 40 characters.
  for (const { name, pack, reason, tip, cGit } of BAD_PACKS)
    it(name, async () => {
      const reply = await victim.push([command('refs/heads/bad', tip ?? FIRST.oid)], pack)
      expect(reply.status).toBe(200)
      expect(reply.lines[0]).toMatch(/^unpack (?!ok)/)
      expect(reply.lines[1]).toBe('ng refs/heads/bad unpacker error\n')
      expect(reply.reason).toMatch(reason)
      if (cGit === 'refuses') await expectRefusedByCGit(pack)
      await victim.expectUnharmed()
    })

  async function expectRefusedByCGit(pack: Buffer): Promise<void> {
    using folder = temporaryFolder('oracle')
    const copy = join(folder.path, 'site.git')
    cpSync(victim.gitDirectory, copy, { recursive: true })
    const { code } = await new Git(copy).try(['index-pack', '--stdin', '--strict', '--fix-thin'], pack)
    expect(code).not.toBe(0)
  }
})

describe('a pack that is at a limit', () => {
  it.each([
    { name: 'objects', pack: OBJECTS_AT_LIMIT },
    { name: 'size of an object', pack: OBJECT_AT_LIMIT },
    { name: 'inflated size of all', pack: INFLATED_AT_LIMIT },
    { name: 'depth of deltas', pack: DEPTH_AT_LIMIT },
  ])('is taken: $name', async ({ name, pack }) => {
    const ref = `refs/heads/limit-${name.replaceAll(' ', '-')}`
    const reply = await victim.push([command(ref, FIRST.oid)], pack)
    expect(reply.lines).toEqual(['unpack ok\n', `ok ${ref}\n`])
    await victim.expectAlive()
  })
})

it('single bytes changed under a right checksum: taken or refused, and the repository stays whole', async () => {
  const random = new Random(20_261_124)
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(GOOD_PACK.subarray(0, -20))
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    const reply = await victim.push([command(`refs/heads/mutant-${round}`, GOOD_TIP)], withChecksum(bytes))
    expect(reply.status, `byte ${at}, seed ${random.seed}`).toBe(200)
    expect(reply.lines[0], `byte ${at}, seed ${random.seed}`).toMatch(/^unpack ./)
  }
  const reply = await victim.push([command('refs/heads/no-mutant', GOOD_TIP)], GOOD_PACK)
  expect(reply.lines).toEqual(['unpack ok\n', 'ok refs/heads/no-mutant\n'])
  await victim.expectAlive()
})
