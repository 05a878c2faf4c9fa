/**
 * A Node that can load Jazzer.js's native part, which asks for glibc 2.38. Where the machine's is older, a copy of this
 * Node gets the loader and the libraries of a newer Debian release, unpacked below `.tools/`: nothing of the system
 * changes. (Starting Node through that loader would do for one process; the copy also works where it starts itself.)
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ToolMissingError } from '../../harness/errors.ts'
import { ROOT } from '../../integration/support/command-line.ts'

const run = promisify(execFile)

const GLIBC_MIN = [2, 38] as const
/** The first Debian release with a glibc that is new enough. */
const NEWER_RELEASE = 'trixie'
const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6']
/** Of the machine's own release: patchelf 0.18, which the newer one has, writes a Node that crashes. */
const PATCHELF = 'patchelf'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const ELSEWHERE =
  'Run it on Debian 13, Ubuntu 24.04, Fedora 39 or anything newer, or in a container of one of them. ' +
  'What was found before is replayed anywhere: npm run fuzz -- --regression'

/**
 * @returns the path of a Node binary
 * @throws ToolMissingError with how to get it
 */
export async function findJazzerNode(
  say: (line: string) => void,
  signal: AbortSignal,
  tools = join(ROOT, '.tools'),
): Promise<string> {
  const here = await presentJazzerNode(signal, tools)
  if (here !== undefined) return here
  const glibc = glibcVersion()
  if (glibc === undefined) throw missing('there is none on this machine')
  const folder = folderIn(tools)
  const node = join(folder, 'node')
  say(`glibc ${glibc} is older than ${GLIBC_MIN.join('.')}: newer libraries are fetched into .tools/`)
  try {
    await build(folder, say, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw missing(`this machine has ${glibc}, and newer libraries cannot be had: ${firstLine(error)}`, error)
  }
  if (await loadsJazzer(node, signal)) return node
  throw missing(`this machine has ${glibc}, and with the libraries of Debian ${NEWER_RELEASE} it does not run`)
}

/** @returns undefined where something would have to be fetched first */
export async function presentJazzerNode(
  signal: AbortSignal,
  tools = join(ROOT, '.tools'),
): Promise<string | undefined> {
  const glibc = glibcVersion()
  if (glibc !== undefined && isEnough(glibc)) return process.execPath
  const node = join(folderIn(tools), 'node')
  return (await loadsJazzer(node, signal)) ? node : undefined
}

function folderIn(tools: string): string {
  return join(tools, `jazzer-node-${process.version}-${process.arch}`)
}

function missing(why: string, cause?: unknown): ToolMissingError {
  return new ToolMissingError('glibc', `Fuzzing needs glibc ${GLIBC_MIN.join('.')} or newer; ${why}.\n${ELSEWHERE}`, {
    cause,
  })
}

/** @returns undefined with another C library */
export function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime
}

/** @param version e.g. `2.36` */
export function isEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > GLIBC_MIN[0] || (major === GLIBC_MIN[0] && minor >= GLIBC_MIN[1])
}

async function loadsJazzer(node: string, signal: AbortSignal): Promise<boolean> {
  if (!existsSync(node)) return false
  const native = createRequire(import.meta.url).resolve('@jazzer.js/fuzzer')
  try {
    await run(node, ['-e', 'require(process.argv[1])', native], { signal })
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}

/** @throws Error with what the first program that failed said */
async function build(folder: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true })
  const partial = mkdtempSync(`${folder}-`)
  try {
    await download(partial, say, signal)
    const packages = readdirSync(partial).filter((name) => name.endsWith('.deb'))
    say(`got ${packages.map((name) => name.split('_', 2).join(' ')).join(', ')}, checked by apt`)
    for (const name of packages) await run('dpkg-deb', ['-x', join(partial, name), join(partial, 'root')], { signal })
    const library = readdirSync(join(partial, 'root/usr/lib')).find((name) =>
      existsSync(join(partial, 'root/usr/lib', name, 'libc.so.6')),
    )
    const libraries = join('root/usr/lib', library ?? '')
    const loader = readdirSync(join(partial, libraries)).find((name) => /^ld-linux.*\.so\.[0-9]$/.test(name))
    copyFileSync(process.execPath, join(partial, 'node'))
    const paths = ['--set-interpreter', join(folder, libraries, loader ?? ''), '--set-rpath', join(folder, libraries)]
    await run(join(partial, 'root/usr/bin/patchelf'), [...paths, join(partial, 'node')], { signal })
    for (const name of packages) rmSync(join(partial, name))
    rmSync(folder, { recursive: true, force: true })
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** From the mirror that apt is set up with, by lists and a cache of our own; apt checks signatures and hashes. */
async function download(folder: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
  const format = ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages']
  const { stdout } = await run('apt-get', format, { signal })
  const repositories = stdout.split('\n').map((line) => line.split(' '))
  const mirror = repositories.find(([, name]) => name === release)?.[0]
  if (mirror === undefined || !existsSync(KEYRING)) throw new Error('apt knows no mirror of Debian')
  const state = join(folder, 'apt')
  mkdirSync(join(state, 'lists/partial'), { recursive: true })
  mkdirSync(join(state, 'cache/archives/partial'), { recursive: true })
  writeFileSync(join(state, 'status'), '')
  const lines = [release, NEWER_RELEASE].map((name) => `deb [signed-by=${KEYRING}] ${mirror} ${name} main\n`)
  writeFileSync(join(state, 'sources.list'), lines.join(''))
  const settings = {
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '3',
    // Without it apt drops to a user who may not write here.
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (...args: readonly string[]) =>
    run('apt-get', ['--quiet', ...options, ...args], { cwd: folder, signal, maxBuffer: 2 ** 24 })
  say(`reading the lists of Debian ${release} and ${NEWER_RELEASE}`)
  await apt('update')
  const wanted = LIBRARIES.map((name) => `${name}/${NEWER_RELEASE}`)
  await apt('download', `${PATCHELF}/${release}`, ...wanted)
  rmSync(state, { recursive: true })
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // What execFile says begins with the command; the program's own words come after it.
  const own = text.split('\n').find((line) => /^E: |rror/.test(line) && !line.startsWith('Command failed'))
  return own ?? text.split('\n', 1)[0] ?? text
}
