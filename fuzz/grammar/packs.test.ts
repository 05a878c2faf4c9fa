import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Random } from '../../integration/support/random.ts'
import { nameOf } from '../oracles/packs.ts'
import { gitIndexPack } from '../referee.ts'
import { Cursor } from './cursor.ts'
import { makePack, simplerPrograms } from './packs.ts'
import { deflate } from './stored-deflate.ts'

/** A program of a few operations, most of them right. */
function programOf(random: Random): Buffer {
  const operations = Array.from({ length: 1 + random.below(6) }, () => {
    const kind = random.pick([0, 1, 2, 2, 3, 4, 4, 5, 5, 6])
    const lie = random.chance(0.15) ? random.pick([0x08, 0x20, 0x40]) : random.pick([0, 0x10])
    const content = kind < 4 ? Buffer.from(random.text(random.below(200))) : instructionsOf(random)
    return Buffer.concat([Buffer.of(kind | lie, random.below(3), content.length >> 8, content.length & 255), content])
  })
  return Buffer.concat([Buffer.of(random.chance(0.05) ? random.below(256) : 0), ...operations])
}

function instructionsOf(random: Random): Buffer {
  const pieces = Array.from({ length: 1 + random.below(4) }, () => {
    if (random.chance(0.7)) return Buffer.of(0x91, random.below(30), 1 + random.below(20))
    const text = random.text(1 + random.below(20))
    return Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
  })
  return Buffer.concat(pieces)
}

describe('packs that programs make', () => {
  it('are right where they say so, by C git', () => {
    const random = new Random(11)
    const made = Array.from({ length: 250 }, () => makePack(new Cursor(programOf(random))))
    const judged = made.map(({ verdict, objects }) => ({
      verdict,
      isTwice: new Set(objects.map(nameOf)).size < objects.length,
    }))
    const taken = gitIndexPack(made.map(({ bytes }) => bytes))
    for (const [at, { verdict, isTwice }] of judged.entries()) {
      // C git takes a pack that holds an object twice, but for what --strict does.
      if (!isTwice) expect({ at, isTaken: taken[at] }).toEqual({ at, isTaken: verdict === 'valid' })
    }
    const count = (verdict: string): number => judged.filter((one) => one.verdict === verdict).length
    expect([count('valid') > 50, count('invalid') > 50]).toEqual([true, true])
  })

  it('become smaller by an operation, or by its content', () => {
    const program = Buffer.from('B\0\x02\0\0\x02ab\x04\0\0\x04cdef', 'latin1')
    const texts = simplerPrograms(program).map((one) => one.toString('latin1'))
    expect(texts).toContain('B\0\x02\0\0\x02ab')
    expect(texts).toContain('B\0\x02\0\0\x01b\x04\0\0\x04cdef')
    expect(texts).toContain('B\0\x02\0\0\x02ab\x04\0\0\x02cd')
  })
})

it.each([0, 1, 65_535, 65_536, 200_000])('%i bytes come out of a stored stream as they went in', (length) => {
  const content = Buffer.alloc(length, 'abc')
  expect(inflateSync(deflate(content, false)).equals(content)).toBe(true)
})
