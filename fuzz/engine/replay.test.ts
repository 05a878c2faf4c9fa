import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { minimiseFinding, replay } from './replay.ts'

const never = new AbortController().signal
const inputs = ['fine', 'throw', 'exit', 'memory', 'fine too'].map((name) => ({ name, bytes: Buffer.from(name) }))

// In two pieces, or who loads this file takes it for its own.
const MAP_COMMENT = ['//# source', 'MappingURL=data:application/json;base64,'].join('')
const NO_MAP = Buffer.from('{"version":3,"sources":[],"mappings":""}').toString('base64')

const TARGET = `
const kept = []
exports.fuzz = (data) => {
  const text = data.toString()
  if (text.includes('exit')) process.exit(3)
  if (text.includes('memory')) for (const kept = []; ; ) kept.push(new Array(2 ** 20).fill(0))
  if (text.includes('hang')) for (;;);
  if (text.includes('pollute')) ({})['__proto__'].polluted = text
  if (text.includes('throw')) throw new TypeError('as asked')
  if (text.includes('replace')) Array.prototype.at = () => text
  if (text.includes('buffer')) Buffer.alloc(150 * 2 ** 20, 1)
  if (text.includes('endless')) for (;;) kept.push(Buffer.alloc(2 ** 24, 1))
  if (text.includes('late')) return new Promise((_, reject) => setImmediate(reject, new RangeError('in its time')))
  if (text.includes('unsettled')) return new Promise(() => {})
  if (text.includes('forgotten')) void Promise.reject(new RangeError('nobody awaits it'))
  if (text.includes('timer')) setTimeout(() => { throw new RangeError('too late') }, 50)
  if (text.includes('words')) throw 'words\u001b[31m'
  if (text.includes('nothing')) throw { toString: undefined }
  if (text.includes('keep')) kept.push(Buffer.alloc(30 * 2 ** 20, 1))
}
${MAP_COMMENT}${NO_MAP}
`

function withTarget<T>(use: (bundle: { path: string; modules: string[] }) => Promise<T>): Promise<T> {
  const folder = temporaryFolder('replay-test')
  const path = join(folder.path, 'target.cjs')
  writeFileSync(path, TARGET)
  return use({ path, modules: [] }).finally(() => folder[Symbol.dispose]())
}

describe('replay', () => {
  it('goes on after an input that throws, ends its process or exhausts it', async () => {
    const { failures, coverage } = await withTarget((bundle) => replay(bundle, inputs, never))
    expect(failures.map(({ input, message }) => [input.name, message.split('\n')[0]])).toEqual([
      ['throw', 'TypeError: as asked'],
      ['exit', 'the process ended with 3'],
      ['memory', expect.stringMatching(/^the process ended with (SIGABRT|SIGTRAP|13[0-9])$/)],
    ])
    expect(coverage).toBeDefined()
  })

  it.each([
    { name: 'hang', message: 'the process hung: silent for 2 s' },
    { name: 'pollute', message: 'prototype pollution: Object changed' },
    { name: 'pollute and throw', message: 'prototype pollution: Object changed\nTypeError: as asked' },
    { name: 'replace', message: 'prototype pollution: Array changed' },
    { name: 'late', message: 'RangeError: in its time' },
    // With nothing left to do, a process that waits for a promise ends.
    { name: 'unsettled', message: 'the process ended with 0' },
    { name: 'forgotten', message: 'RangeError: nobody awaits it' },
    { name: 'words', message: "Error: 'words\\x1B[31m'" },
    { name: 'nothing', message: 'Error: { toString: undefined }' },
    { name: 'buffer', message: 'memory: more than 100 MB' },
    { name: 'endless', message: 'the process took more than 300 MB' },
  ])('fails on an input that only a limit shows: $name', async ({ name, message }) => {
    const limits = { timeMs: 2_000, memoryMb: 100 }
    const all = ['before', name, 'after'].map((one) => ({ name: one, bytes: Buffer.from(one) }))
    const { failures } = await withTarget((bundle) => replay(bundle, all, never, limits))
    expect(failures.map((one) => [one.input.name, one.message.split('\n    at ')[0]])).toEqual([[name, message]])
  })

  it('does not pass where something is thrown after the last input', async () => {
    const all = [{ name: 'timer', bytes: Buffer.from('timer') }]
    const { failures } = await withTarget((bundle) => replay(bundle, all, never))
    expect(failures.map(({ message }) => message)).toEqual(['the process ended with 1'])
  })

  it('blames no input for the memory that others took', async () => {
    const all = Array.from({ length: 6 }, (_, at) => ({ name: `${at}`, bytes: Buffer.from(`keep ${at}`) }))
    const { failures, coverage } = await withTarget((bundle) =>
      replay(bundle, all, never, { timeMs: 10_000, memoryMb: 100 }),
    )
    expect(failures).toEqual([])
    expect(coverage).toBeDefined()
  })

  it('ends when it is told to', async () => {
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await expect(withTarget((bundle) => replay(bundle, inputs, controller.signal))).rejects.toThrow('enough')
  })

  it.each([
    { input: 'some text, a throw, and more text', smallest: 'throw' },
    { input: 'some text, and a promise that is forgotten', smallest: 'forgotten' },
    { input: 'some text, then pollute it, and more text', smallest: 'pollute' },
  ])('makes $input smaller, as long as it fails in the same way', async ({ input, smallest }) => {
    const found = await withTarget((bundle) => minimiseFinding(bundle, Buffer.from(input), never))
    expect(found.toString()).toBe(smallest)
  })
})
