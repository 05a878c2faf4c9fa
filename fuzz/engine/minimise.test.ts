import { describe, expect, it, vi } from 'vitest'
import { minimise } from './minimise.ts'

const attemptsMax = 1_000

describe('minimise', () => {
  it.each([
    { name: 'leaves out what does not matter', input: 'xxAxxxBxx', fails: /A.*B/, smallest: 'AB' },
    { name: 'makes plain what does not matter', input: 'xAyyyB', fails: /A...B/, smallest: 'A000B' },
    { name: 'leaves what matters alone', input: 'AB', fails: /^AB$/, smallest: 'AB' },
  ])('$name', async ({ input, fails, smallest }) => {
    const tried = { fails: (candidate: Buffer) => fails.test(candidate.toString()), attemptsMax }
    expect((await minimise(Buffer.from(input), tried)).toString()).toBe(smallest)
  })

  it('asks the grammar, where bytes alone cannot go', async () => {
    // A length and so many letters: with one letter less the length is wrong.
    const fails = (candidate: Buffer): boolean =>
      /^[0-9]A+$/.test(candidate.toString()) && Number(candidate[0]) - 0x30 === candidate.length - 1
    const simpler = (input: Buffer): Buffer[] => [Buffer.from(`${input.length - 2}${'A'.repeat(input.length - 2)}`)]
    expect((await minimise(Buffer.from('5AAAAA'), { fails, attemptsMax })).toString()).toBe('5AAAAA')
    expect((await minimise(Buffer.from('5AAAAA'), { fails, attemptsMax, simpler })).toString()).toBe('1A')
  })

  it('stops after so many attempts, with the best so far', async () => {
    const fails = vi.fn(({ length }: Buffer) => length >= 8)
    expect(await minimise(Buffer.alloc(64, 'x'), { fails, attemptsMax: 3 })).toHaveLength(16)
    expect(fails).toHaveBeenCalledTimes(3)
  })
})
