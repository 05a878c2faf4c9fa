/** Finds the programs of others that a command of the harness runs, and makes those that can be made. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ROOT } from '../integration/support/command-line.ts'
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
  path: process.env['PATH'] ?? '',
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
