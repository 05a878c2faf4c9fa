import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { escapeWord, runJazzer } from './jazzer.ts'

const PIECES = 5_000

/** Prints as libFuzzer does: in small pieces, and none of them a second time where there was no place for it. */
const PRINTER = `#!${process.execPath}
const { writeFileSync, writeSync } = require('node:fs')
// Node's own stream makes it a descriptor that never blocks, which libFuzzer's part of the process does not know.
process.stderr
const print = (text) => {
  try {
    writeSync(2, text)
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error
  }
}
for (let piece = 0; piece < ${PIECES}; piece++) print('0x50,')
print('\\n==1== Uncaught Exception: Error: found\\u001b[31m\\n')
writeFileSync('failed-crash', 'x')
writeFileSync('printed', '')
process.exitCode = 77
`

it('loses nothing of what the fuzzer prints while nobody has time to read it', async () => {
  using folder = temporaryFolder('jazzer')
  const node = join(folder.path, 'printer')
  writeFileSync(node, PRINTER)
  chmodSync(node, 0o755)
  const { signal } = new AbortController()
  const options = { seed: 1, work: { runs: 1 }, words: [], inputBytesMax: 1, makesObjects: false, signal }
  const running = runJazzer({ node, bundle: 'none.cjs', corpusFolders: [], folder: folder.path, ...options })
  const clock = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(join(folder.path, 'printed'))) Atomics.wait(clock, 0, 0, 10)
  const { end, said } = await running
  expect(end).toBe('crash')
  expect(said).toBe('Error: found\\u{1b}[31m')
})

it('words of a dictionary are written as libFuzzer reads them', () => {
  expect(escapeWord('a"\\\n\xff')).toBe('a\\x22\\x5c\\x0a\\xff')
})
