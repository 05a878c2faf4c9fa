import { describe, expect, it } from 'vitest'
import { blob, pack, whole } from '../../integration/support/pack-maker.ts'
import { FLUSH, encodePktLine } from '../../src/git/pkt-line.ts'
import { encodeBand } from '../../src/git/protocol/side-band.ts'
import { PackAnswer } from './pack-answer.ts'

const PACK = pack([whole(blob('one')), whole(blob('two')), whole(blob('three'))])

function answerOf(bytes: Buffer, end = FLUSH): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 7) frames.push(encodeBand('pack', bytes.subarray(at, at + 7)))
  const progress = encodeBand('progress', Buffer.from('Sending\n'))
  return Buffer.concat([encodePktLine('packfile\n'), progress, ...frames, end])
}

function read(answer: Buffer, pieceBytes: number): number {
  const reader = new PackAnswer()
  for (let at = 0; at < answer.length; at += pieceBytes) reader.take(answer.subarray(at, at + pieceBytes))
  return reader.finish()
}

describe('PackAnswer', () => {
  it.each([1, 2, 5, 64, 100_000])('counts the objects of a whole pack that comes %i bytes at a time', (pieceBytes) => {
    expect(read(answerOf(PACK), pieceBytes)).toBe(3)
  })

  it('refuses a pack of which a single bit has changed', () => {
    for (let at = 0; at < PACK.length; at++) {
      const changed = Buffer.from(PACK)
      changed[at] = (changed[at] as number) ^ 1
      expect(() => read(answerOf(changed), 64), `byte ${at}`).toThrow(/checksum|no pack/)
    }
  })

  it.each([
    { name: 'an answer that breaks off', answer: answerOf(PACK, Buffer.alloc(0)), says: 'The answer has no end' },
    { name: 'a pack that breaks off', answer: answerOf(PACK.subarray(0, -1)), says: /checksum/ },
    { name: 'an answer without a pack', answer: Buffer.concat([encodePktLine('acks\n'), FLUSH]), says: /no pack/ },
    {
      name: 'a host that gives up',
      answer: Buffer.concat([encodePktLine('packfile\n'), encodeBand('error', Buffer.from('out of disk'))]),
      says: 'The host gave up: out of disk',
    },
  ])('refuses $name', ({ answer, says }) => {
    expect(() => read(answer, 64)).toThrow(says)
  })
})
