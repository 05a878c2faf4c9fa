import { describe, expect, it, vi } from 'vitest'
import { ToolMissingError } from '../../harness/errors.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import { findJazzerNode, glibcVersion, isEnough } from './jazzer-node.ts'

const never = new AbortController().signal

describe('the C library that Jazzer.js needs', () => {
  it.each([
    { version: '2.36', enough: false },
    { version: '2.38', enough: true },
    { version: '2.4', enough: false },
    { version: '3.0', enough: true },
  ])('$version: $enough', ({ version, enough }) => {
    expect(isEnough(version)).toBe(enough)
  })

  it('is not looked for where there is one; where it cannot be had, it is said how to get it', async () => {
    using tools = temporaryFolder('no-tools')
    vi.stubEnv('PATH', tools.path)
    try {
      const found = findJazzerNode(() => {}, never, tools.path)
      if (isEnough(glibcVersion() ?? '0')) expect(await found).toBe(process.execPath)
      else {
        await expect(found).rejects.toThrow(ToolMissingError)
        await expect(found).rejects.toThrow(/needs glibc 2\.38 or newer; .*Run it on Debian 13/s)
      }
    } finally {
      vi.unstubAllEnvs()
    }
  })
})
