/** Windows over a pack: what they show is what is there, whoever looks where. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { PackWindows } from '../src/git/pack/pack-windows.ts'
import { type ByteSource, PackWindow } from '../src/git/pack/source.ts'
import { bytes, cuts } from './arbitraries.ts'
import { prop } from './prop.ts'

const looks = fc.array(
  fc.record({ how: fc.constantFrom('view', 'load', 'windowAt'), at: fc.nat(), atLeast: fc.nat(80) }),
  { minLength: 1, maxLength: 30 },
)

prop([
  bytes(300).filter(({ length }) => length > 0),
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: 1, max: 64 }),
  cuts,
  looks,
])(
  'windows show what is there, however small they are and in however small pieces it is read',
  (whole, more, windowBytes, sizes, all) => {
    let turn = 0
    const source: ByteSource = {
      bytes: whole.length,
      read: (target, position) => whole.copy(target, 0, position, position + (sizes[turn++ % sizes.length] ?? 1)),
    }
    // Whoever says where it ends may be wrong: then it is cut short.
    const declared = Math.max(1, whole.length + more)
    const end = Math.min(declared, whole.length)
    const windows = new PackWindows(source, declared, windowBytes)
    const one = new PackWindow(source, declared, windowBytes)
    for (const { how, at, atLeast } of all) {
      const position = at % end
      const expected = whole.subarray(position, Math.min(end, position + atLeast))
      const assertShown = (shown: Buffer): void => {
        assert.ok(shown.length >= expected.length && shown.length <= end - position)
        assert.deepEqual(shown.subarray(0, expected.length), expected)
        assert.deepEqual(shown, whole.subarray(position, position + shown.length))
      }
      if (how === 'load') for (const each of [windows, one]) each.load(position, atLeast)
      const window = how === 'windowAt' ? windows.windowAt(position, atLeast) : one
      if (how === 'windowAt') assertShown(window.bytes.subarray(position - window.start))
      assertShown(windows.view(position, atLeast))
      assertShown(one.view(position, atLeast))
    }
  },
)
