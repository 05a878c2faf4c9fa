import { openFiles as openFilesOf } from './held.ts'

/** What this process holds open of files whose path begins so, also of those that were removed: once for each descriptor. */
export function openFiles(path: string): string[] {
  return openFilesOf(process.pid).filter((target) => target.startsWith(path))
}
