import { describe, expect, it } from 'vitest'
import { mappedBytes } from './mappings.ts'

/** @param range as the kernel writes it; kB after that */
function mapping(range: string, access: string, path: string, rss: number, clean = 0): string {
  const sizes = `Rss: ${rss} kB\nPss: ${rss} kB\nShared_Clean: ${clean} kB\nPrivate_Clean: 0 kB\nVmFlags: rd wr mr`
  return `${range} ${access} 00000000 00:00 0    ${path}\n${sizes}\n`
}

describe('mappedBytes', () => {
  it.each([
    { name: 'the program', text: mapping('400000-500000', 'r-xp', '/bin/node', 60, 50), kind: 'files' },
    { name: 'what brk(2) gave', text: mapping('a000000-b000000', 'rw-p', '[heap]', 60), kind: 'mainArena' },
    { name: 'a full arena', text: mapping('7f0000000000-7f0004000000', 'rw-p', '', 60), kind: 'otherArenas' },
    {
      name: 'an arena that is not full',
      text: mapping('7f0000000000-7f0001000000', 'rw-p', '', 60) + mapping('7f0001000000-7f0004000000', '---p', '', 0),
      kind: 'otherArenas',
    },
    {
      name: 'a heap that begins as an arena does',
      text: mapping('7f0000000000-7f0001000000', 'rw-p', '', 60),
      kind: 'anonymous',
    },
    {
      name: "the main thread's stack",
      text: mapping('7ffc00000000-7ffc00021000', 'rw-p', '[stack]', 60),
      kind: 'stacks',
    },
    {
      name: "a thread's stack",
      text: mapping('7f1000000000-7f1000001000', '---p', '', 0) + mapping('7f1000001000-7f1000801000', 'rw-p', '', 60),
      kind: 'stacks',
    },
    { name: 'a large buffer', text: mapping('7f1000001000-7f1000801000', 'rw-p', '', 60), kind: 'anonymous' },
  ])('knows $name', ({ text, kind }) => {
    const none = { mainArena: 0, otherArenas: 0, anonymous: 0, stacks: 0, files: 0, cleanFiles: 0 }
    const clean = kind === 'files' ? { cleanFiles: 50 * 1024 } : {}
    expect(mappedBytes(text)).toEqual({ ...none, ...clean, [kind]: 60 * 1024 })
  })

  it('adds up what is of one kind', () => {
    const text =
      mapping('400000-500000', 'r-xp', '/bin/node', 60, 50) + mapping('600000-700000', 'r--p', '/lib/c.so', 5, 1)
    expect(mappedBytes(text)).toMatchObject({ files: 65 * 1024, cleanFiles: 51 * 1024 })
  })
})
