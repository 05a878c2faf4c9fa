/** Finds the programs of others that a command of the harness runs, and makes those that can be made. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
import { hasErrorCode } from '../src/errors.ts'
import { ToolMissingError } from './errors.ts'
import { buildWithGo } from './tool-build.ts'
import { downloadRelease } from './tool-download.ts'
import { type PinnedTool, RELEASE_ORIGIN, type ToolName, TOOLS } from './tool-table.ts'

/** Where tools are looked for, and come from. */
export interface ToolPlaces {
  /** Like the variable PATH. */
  readonly path: string
  /** Holds what was made here. */
  readonly folder: string
  readonly releaseOrigin: string
}

export interface FindToolOptions {
  readonly signal: AbortSignal
  /** Told what takes a while. */
  readonly say: (line: string) => void
  readonly places?: ToolPlaces
}

export const MACHINE_PLACES: ToolPlaces = {
  // Debian keeps servers where users do not look.
  path: [process.env['PATH'] ?? '', '/usr/sbin'].join(delimiter),
  folder: join(ROOT, '.tools'),
  releaseOrigin: RELEASE_ORIGIN,
}

/** The path of a tool's executable, if it is there already: nothing is built or fetched. */
export function toolThere(name: ToolName, places: ToolPlaces = MACHINE_PLACES): string | undefined {
  const { executables, pinned } = TOOLS[name]
  for (const { name: executable, probe } of executables) {
    const found = onPath(executable, places.path)
    if (found === undefined) continue
    if (probe === undefined || spawnSync(found, probe, { stdio: 'ignore' }).status === 0) return found
  }
  if (pinned === undefined) return undefined
  const made = madePath(name, pinned, places)
  return isExecutable(made) ? made : undefined
}

/**
 * The path of a tool's executable: the machine's own, else one made here before, else one built by Go, else a release.
 * Several processes may ask at once: what each makes appears whole, under a name that says its version.
 * @throws ToolMissingError with what was tried, and how to get the tool
 */
export async function findTool(name: ToolName, options: FindToolOptions): Promise<string> {
  const { signal, say, places = MACHINE_PLACES } = options
  signal.throwIfAborted()
  const there = toolThere(name, places)
  if (there !== undefined) return there
  const { pinned, howToGet } = TOOLS[name]
  if (pinned === undefined) throw new ToolMissingError(name, `${name} is not there. ${howToGet}`)
  const path = madePath(name, pinned, places)
  mkdirSync(places.folder, { recursive: true })
  const workFolder = mkdtempSync(join(places.folder, 'making-'))
  try {
    const making = { name, pinned, workFolder, signal, say, releaseOrigin: places.releaseOrigin }
    const go = toolThere('go', places)
    const ways = [
      ...(go === undefined ? [] : [() => buildWithGo(go, making)]),
      (): Promise<string> => downloadRelease(making),
    ]
    const failures = go === undefined ? ['go is not there'] : []
    for (const way of ways) {
      try {
        const made = await way()
        mkdirSync(dirname(path), { recursive: true })
        renameSync(made, path)
        return path
      } catch (error) {
        signal.throwIfAborted()
        const failure = error instanceof Error ? error.message : String(error)
        say(failure)
        failures.push(failure)
      }
    }
    const tried = failures.map((failure) => `  ${failure}`).join('\n')
    throw new ToolMissingError(name, `${name} is not there. ${howToGet}\nTried:\n${tried}`)
  } finally {
    rmSync(workFolder, { recursive: true, force: true })
  }
}

/**
 * A folder of pinned packages or built programs: as it was made here before, or made now.
 * Several processes may ask at once: it appears whole, under a name that says what is in it.
 * @param name says versions
 * @param make fills the folder that it is given
 * @throws ToolMissingError with what was tried, and how to get it
 */
export async function findFolder(
  name: string,
  { signal, places = MACHINE_PLACES }: FindToolOptions,
  { make, howToGet }: { readonly make: (folder: string) => Promise<void>; readonly howToGet: string },
): Promise<string> {
  const path = join(places.folder, name)
  if (existsSync(path)) return path
  mkdirSync(places.folder, { recursive: true })
  const workFolder = mkdtempSync(join(places.folder, 'making-'))
  try {
    await make(workFolder)
    renameSync(workFolder, path)
    return path
  } catch (error) {
    signal.throwIfAborted()
    // Another process was faster.
    if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) return path
    throw new ToolMissingError(name, `${name} is not there. ${howToGet}\nTried:\n  ${String(error)}`, { cause: error })
  } finally {
    rmSync(workFolder, { recursive: true, force: true })
  }
}

function madePath(name: ToolName, { version }: PinnedTool, { folder }: ToolPlaces): string {
  return join(folder, `${name}-${version}`, name)
}

function onPath(executable: string, path: string): string | undefined {
  const candidates = path.split(delimiter).filter((folder) => folder !== '')
  return candidates.map((folder) => join(folder, executable)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
