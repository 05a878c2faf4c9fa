import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system in memory, of a fixed size: what is full here is truly full. */
export class Tmpfs implements Disposable {
  readonly path: string

  constructor(megabytes: number) {
    this.path = mkdtempSync(join(tmpdir(), 'guts-tmpfs-'))
    mountTmpfs(this.path, `size=${megabytes}m`)
  }

  [Symbol.dispose](): void {
    unmount(this.path)
    rmdirSync(this.path)
  }
}

/** Puts a file system over a folder on which nothing can be written, until it is unmounted. */
export function coverReadOnly(path: string): void {
  mountTmpfs(path, 'ro')
}

export function unmount(path: string): void {
  execFileSync('umount', ['-l', path], { stdio: 'pipe' })
}

function mountTmpfs(path: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' })
}

/** Why no file system can be mounted here; undefined where one can. Tests that need one are skipped by this name. */
export const MOUNT_REFUSAL: string | undefined = probe()

function probe(): string | undefined {
  try {
    new Tmpfs(1)[Symbol.dispose]()
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)
    return `mount is not allowed here: ${reason.trim()}`
  }
}
