import { readdirSync, readlinkSync } from 'node:fs'

/** What this process holds open of files whose path begins so, also of those that were removed: once for each descriptor. */
export function openFiles(path: string): string[] {
  return readdirSync('/proc/self/fd')
    .map(linkOf)
    .filter((target) => target.startsWith(path))
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // The one that lists the folder is gone by now.
    return ''
  }
}
