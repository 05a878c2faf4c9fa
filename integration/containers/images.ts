/** Images from what is on this machine, for where no registry can be reached; the node's own by its Dockerfile. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../support/command-line.ts'
import { temporaryFolder } from '../support/git.ts'

const FROM_SCRATCH = 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n'
const USERS = 'root:x:0:0::/:/\nnode:x:1000:1000::/tmp:/\n'
/** Else the C library asks no file for names. */
const NAMES = 'hosts: files dns\n'

export interface ImageBuilder {
  /** @param args of `build`. @returns the image's name */
  build(name: string, context: string, args?: readonly string[]): Promise<string>
}

/** @returns the name of the node's image */
export async function buildNodeImage(engine: ImageBuilder): Promise<string> {
  using folder = temporaryFolder('image')
  const base = await buildFromFiles(engine, 'base', [
    { from: realpathSync(process.execPath), to: '/usr/local/bin/node' },
  ])
  const built = join(folder.path, 'built')
  mkdirSync(join(built, 'data'), { recursive: true })
  assembleBuilt(join(built, 'built'))
  writeFileSync(join(built, 'Dockerfile'), 'FROM scratch\nCOPY built /built\nCOPY data /data\n')
  const builtImage = await engine.build('built', built)
  // Awaited here: the folder goes with this scope.
  return await engine.build('node', ROOT, ['--build-arg', `NODE_IMAGE=${base}`, '--build-arg', `BUILT=${builtImage}`])
}

export interface LocalFile {
  readonly from: string
  readonly to: string
}

/** An image with these executables and the libraries they are linked with, as they are on this machine. */
export async function buildFromFiles(engine: ImageBuilder, name: string, files: readonly LocalFile[]): Promise<string> {
  using folder = temporaryFolder('image')
  const root = join(folder.path, 'root')
  const put = (from: string, to: string): void => {
    const target = join(root, to)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(realpathSync(from), target)
    chmodSync(target, 0o755)
  }
  for (const { from, to } of files) {
    put(from, to)
    for (const library of librariesOf(from)) put(library, library)
  }
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), USERS)
  writeFileSync(join(root, 'etc/nsswitch.conf'), NAMES)
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
  const dockerfile = join(folder.path, 'Dockerfile')
  writeFileSync(dockerfile, FROM_SCRATCH)
  return await engine.build(name, root, ['--file', dockerfile])
}

/** What the stage `build` of the Dockerfile leaves, without a registry: `dist/`, and the packages for production. */
function assembleBuilt(folder: string): void {
  mkdirSync(folder)
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')])
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  for (const path of productionPackages()) {
    const nested = join(ROOT, path, 'node_modules')
    cpSync(join(ROOT, path), join(folder, path), { recursive: true, filter: (source) => source !== nested })
  }
}

interface Locked {
  readonly packages: Readonly<Record<string, { readonly dev?: true; readonly devOptional?: true }>>
}

/** By the lock file, as the Dockerfile leaves them: those for other platforms are not here, and Node.js is in the image. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Locked
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
    .filter((path) => !path.startsWith('node_modules/node-linux-') && existsSync(join(ROOT, path)))
}

/** None of a program that is linked with none. */
function librariesOf(executable: string): string[] {
  try {
    const told = execFileSync('ldd', [executable], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return [...told.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path)
  } catch {
    return []
  }
}
