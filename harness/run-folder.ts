import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * For what a run and its children leave on disk when they are broken off: gone at the end of its scope, and with this
 * process. Children are given it as their `TMPDIR`.
 */
export function runFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `guts-${name}-`))
  // Those that were killed may be dying still.
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 10 })
  process.on('exit', remove)
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}
