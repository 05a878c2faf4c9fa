import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Nothing loses its power here: on a disk that others worked on, 100 runs of pushes took 17 s, and in memory 3 s. */
const MEMORY = '/dev/shm'

/** A folder in memory where there is such a place, which goes again. */
export function memoryFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), `guts-${name}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
