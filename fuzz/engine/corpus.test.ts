import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../integration/support/command-line.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import { CorpusError, readCorpus, readFindings, readFolder, readSeeds, replaceFinding, saveFinding } from './corpus.ts'

const FOLDER = 'fuzz/findings/toy'

function write(root: string, file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

describe('committed inputs', () => {
  it('are bytes with their names', () => {
    using root = temporaryFolder('corpus-test')
    write(root.path, 'fuzz/seeds/toy.json', '{"a line": "MDAwNXg=", "nothing": ""}')
    expect(readSeeds('toy', root.path)).toEqual([
      { name: 'a line', bytes: Buffer.from('0005x') },
      { name: 'nothing', bytes: Buffer.alloc(0) },
    ])
    expect(readCorpus('toy', root.path)).toEqual([])
    expect(readFindings('toy', root.path)).toEqual([])
  })

  // Node takes as base64 whatever there is, and leaves out the rest: the input would be another one, without a word.
  it.each([
    { name: 'is cut off', text: '{"a": "MDAw', says: 'fuzz/corpus/toy.json cannot be read' },
    { name: 'has marks of a merge', text: '<<<<<<< ours\n{}', says: 'fuzz/corpus/toy.json cannot be read' },
    { name: 'is a list', text: '["MDAw"]', says: 'fuzz/corpus/toy.json holds no inputs by name' },
    { name: 'is nothing', text: 'null', says: 'fuzz/corpus/toy.json holds no inputs by name' },
    { name: 'holds what is no base64', text: '{"a b": "MD!w"}', says: 'fuzz/corpus/toy.json: a b is no base64' },
    { name: 'holds base64 that is cut off', text: '{"a": "MDA"}', says: 'fuzz/corpus/toy.json: a is no base64' },
    { name: 'holds a number', text: '{"a": 7}', says: 'fuzz/corpus/toy.json: a is no base64' },
  ])('are refused where their file $name', ({ text, says }) => {
    using root = temporaryFolder('corpus-test')
    write(root.path, 'fuzz/corpus/toy.json', text)
    expect(() => readCorpus('toy', root.path)).toThrow(CorpusError)
    expect(() => readCorpus('toy', root.path)).toThrow(says)
  })

  it('of a new target name the command that makes them', () => {
    using root = temporaryFolder('corpus-test')
    expect(() => readSeeds('toy', root.path)).toThrow('node fuzz/seeds-command.ts toy')
  })

  it('are files: where a finding is a folder, it is named', () => {
    using root = temporaryFolder('corpus-test')
    write(root.path, `${FOLDER}/a/b`, 'x')
    expect(() => readFindings('toy', root.path)).toThrow(`${FOLDER}/a is no file`)
  })
})

describe('a finding that was made smaller', () => {
  it('takes the place of the one that was saved for it', () => {
    using root = temporaryFolder('corpus-test')
    const saved = saveFinding('toy', Buffer.from('large'), root.path)
    const file = replaceFinding('toy', saved, Buffer.from('s'), root.path)
    expect(readFindings('toy', root.path)).toEqual([{ name: file, bytes: Buffer.from('s') }])
  })

  it('leaves one alone that was there before, which is committed for another defect', () => {
    using root = temporaryFolder('corpus-test')
    saveFinding('toy', Buffer.from('large'), root.path)
    const again = saveFinding('toy', Buffer.from('large'), root.path)
    replaceFinding('toy', again, Buffer.from('s'), root.path)
    expect(readdirSync(join(root.path, FOLDER))).toHaveLength(2)
  })

  it('stays where it is as small as it was', () => {
    using root = temporaryFolder('corpus-test')
    const saved = saveFinding('toy', Buffer.from('s'), root.path)
    expect(replaceFinding('toy', saved, Buffer.from('s'), root.path)).toBe(saved.file)
    expect(readFindings('toy', root.path)).toHaveLength(1)
  })
})

it('a finding that cannot be saved is told with its bytes, which nobody has otherwise', () => {
  using root = temporaryFolder('corpus-test')
  write(root.path, FOLDER, 'in the way')
  expect(() => saveFinding('toy', Buffer.from('large'), root.path)).toThrow(
    expect.objectContaining({
      detail: { code: 'finding_unsaved' },
      message: expect.stringMatching(
        /^fuzz\/findings\/toy\/[0-9a-f]{16} cannot be written \(.+\); in base64 it is bGFyZ2U=$/,
      ),
    }),
  )
})

it('a finding is saved whole or not at all, so that the next run that has it does not take it for saved', async () => {
  using root = temporaryFolder('corpus-test')
  const bytes = Buffer.alloc(65_536, 'x')
  const script = `import { saveFinding } from ${JSON.stringify(join(import.meta.dirname, 'corpus.ts'))}
    saveFinding('toy', Buffer.alloc(${bytes.length}, 'x'), ${JSON.stringify(root.path)})`
  // As on a full disk, the first bytes can be written.
  const limited = ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script]
  const { exitCode, stderr } = await run('bash', limited)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('EFBIG') })
  expect(readdirSync(join(root.path, FOLDER))).toEqual([])
  const { file, isNew } = saveFinding('toy', bytes, root.path)
  expect(isNew).toBe(true)
  expect(readFileSync(join(root.path, file)).equals(bytes)).toBe(true)
})

it('of what is kept, files are read that are still there', () => {
  using root = temporaryFolder('corpus-test')
  write(root.path, 'one', '1')
  write(root.path, 'folder/two', '2')
  // As what is taken away between the list and the look at it.
  symlinkSync('nowhere', join(root.path, 'gone'))
  expect(readFolder(root.path)).toEqual([{ name: 'one', bytes: Buffer.from('1') }])
})
