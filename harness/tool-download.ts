/** Fetches a pinned tool's release, and takes nothing but exactly that. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GutsError } from '../src/errors.ts'
import type { Making } from './tool-build.ts'

export class DownloadError extends GutsError<
  | { readonly code: 'no_release'; readonly architecture: string }
  | { readonly code: 'unreachable'; readonly url: string }
  | { readonly code: 'http_status'; readonly url: string; readonly status: number }
  | { readonly code: 'too_large'; readonly url: string; readonly bytesMax: number }
  | { readonly code: 'hash_differs'; readonly url: string; readonly expected: string; readonly found: string }
  | { readonly code: 'not_an_archive'; readonly url: string; readonly member: string }
> {}

/** The largest of the archives has 30 MB. */
const ARCHIVE_BYTES_MAX = 200 * 1024 * 1024

/** @returns the executable. @throws DownloadError */
export async function downloadRelease({
  name,
  pinned,
  workFolder,
  releaseOrigin,
  signal,
  say,
}: Making): Promise<string> {
  const archive = pinned.release.archives[process.arch]
  if (archive === undefined || process.platform !== 'linux') {
    const architecture = `${process.platform}-${process.arch}`
    throw new DownloadError({ code: 'no_release', architecture }, `No release of ${name} for ${architecture} is known`)
  }
  const fill = (text: string): string => text.replaceAll('{version}', pinned.version).replaceAll('{arch}', archive.arch)
  const url = `${releaseOrigin}${fill(pinned.release.path)}`
  const file = join(workFolder, 'archive.tar.gz')
  say(`${name}: fetching ${url}`)
  await fetchInto(file, url, signal)
  const found = await sha256Of(file)
  if (found !== archive.sha256) {
    const detail = { code: 'hash_differs', url, expected: archive.sha256, found } as const
    throw new DownloadError(detail, `${url} has SHA-256 ${found}, not ${archive.sha256}: it was thrown away`)
  }
  const member = fill(pinned.release.member)
  if (!(await extract(file, member, workFolder, signal))) {
    throw new DownloadError({ code: 'not_an_archive', url, member }, `${url} is no archive with ${member}`)
  }
  const executable = join(workFolder, member)
  await chmod(executable, 0o755)
  return executable
}

async function fetchInto(file: string, url: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new DownloadError({ code: 'unreachable', url }, `${url} cannot be reached`, { cause: error })
  })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new DownloadError({ code: 'http_status', url, status: response.status }, `${url} answered ${response.status}`)
  }
  let bytes = 0
  const bounded = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > ARCHIVE_BYTES_MAX) {
        const detail = { code: 'too_large', url, bytesMax: ARCHIVE_BYTES_MAX } as const
        throw new DownloadError(detail, `${url} has more than ${ARCHIVE_BYTES_MAX} bytes`)
      }
      yield chunk
    }
  }
  try {
    await pipeline(Readable.fromWeb(response.body), bounded, createWriteStream(file), { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DownloadError) throw error
    throw new DownloadError({ code: 'unreachable', url }, `${url} broke off after ${bytes} bytes`, { cause: error })
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

async function extract(file: string, member: string, folder: string, signal: AbortSignal): Promise<boolean> {
  const tar = spawn('tar', ['-xzf', file, '-C', folder, member], { stdio: 'ignore', signal })
  const [exitCode] = (await once(tar, 'close')) as [number | null]
  return exitCode === 0
}
