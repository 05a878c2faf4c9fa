import type { FsckId } from './error.ts'

/** As git's own ("attr.h"), which crashed beyond them (CVE-2022-23521). */
export const GITATTRIBUTES_BYTES_MAX = 100 * 1024 * 1024
export const GITATTRIBUTES_LINE_BYTES_MAX = 2047

const LF = 0x0a

/** What git refuses in the content of a `.gitattributes` ("fsck.c", fsck_blob). It reads up to the first NUL. */
export function checkGitattributes(data: Buffer): FsckId | undefined {
  if (data.length > GITATTRIBUTES_BYTES_MAX) return 'gitattributesLarge'
  const nul = data.indexOf(0)
  const text = nul < 0 ? data : data.subarray(0, nul)
  for (let at = 0; at < text.length;) {
    const lineFeed = text.indexOf(LF, at)
    const end = lineFeed < 0 ? text.length : lineFeed
    if (end - at > GITATTRIBUTES_LINE_BYTES_MAX) return 'gitattributesLineLength'
    at = end + 1
  }
  return undefined
}
