import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { diskFileSystem } from './file-system.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guts-file-system-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ONE = Buffer.alloc(2 ** 20, '1')
const OTHER = Buffer.from('other')

it('a file that was closed is not written or synced any more, and another one that is opened then is its own', async () => {
  const one = await diskFileSystem.create(join(folder, 'one'))
  await one.write(ONE, 0)
  await one.close()
  // It may have the descriptor that the first one had.
  const other = await diskFileSystem.create(join(folder, 'other'))
  await expect(one.write(ONE, 0)).rejects.toMatchObject({ code: 'EBADF' })
  await expect(one.sync()).rejects.toMatchObject({ code: 'EBADF' })
  await one.close()
  await other.write(OTHER, 0)
  await other.sync()
  await other.close()
  expect(readFileSync(join(folder, 'other'))).toEqual(OTHER)
  expect(readFileSync(join(folder, 'one'))).toEqual(ONE)
})

it('what was begun before a file is closed ends before it is', async () => {
  for (let round = 0; round < 20; round++) {
    const one = await diskFileSystem.create(join(folder, `one-${round}`))
    const begun = [one.write(ONE, 0), one.write(ONE, ONE.length), one.sync()]
    const closed = one.close()
    const other = await diskFileSystem.create(join(folder, `other-${round}`))
    await Promise.all([...begun, closed, other.write(OTHER, 0)])
    await other.close()
    expect(readFileSync(join(folder, `other-${round}`))).toEqual(OTHER)
    expect(readFileSync(join(folder, `one-${round}`)).length).toBe(2 * ONE.length)
  }
})
