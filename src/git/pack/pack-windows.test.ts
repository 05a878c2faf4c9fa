import { describe, expect, it } from 'vitest'
import { PackWindows } from './pack-windows.ts'

const BYTES = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251))

function windowsOf(windowBytes: number): { windows: PackWindows; reads: number[] } {
  const reads: number[] = []
  const read = (target: Buffer, position: number): number => {
    reads.push(position)
    return BYTES.copy(target, 0, position)
  }
  return { windows: new PackWindows({ bytes: BYTES.length, read }, 980, windowBytes), reads }
}

describe('PackWindows', () => {
  it('reads nothing again for who goes to and fro between a few places', () => {
    const { windows, reads } = windowsOf(32)
    for (let round = 0; round < 5; round++) {
      for (const place of [0, 200, 400, 600]) {
        expect(windows.view(place + round, 10).subarray(0, 10)).toEqual(
          BYTES.subarray(place + round, place + round + 10),
        )
      }
    }
    expect(reads).toEqual([0, 200, 400, 600])
  })

  it('gives up what was not looked at for the longest time', () => {
    const { windows, reads } = windowsOf(32)
    for (const place of [0, 200, 400, 600, 0, 800, 0, 400, 600, 200]) windows.view(place, 10)
    expect(reads).toEqual([0, 200, 400, 600, 800, 200])
  })

  it('ends where the pack ends, in whichever window', () => {
    const { windows } = windowsOf(32)
    for (const place of [0, 970, 975, 979]) {
      expect(windows.view(place, 40)).toEqual(BYTES.subarray(place, Math.min(980, place + 40)))
    }
    expect(windows.view(980, 10)).toHaveLength(0)
  })
})
