/** What a start makes of a crash state, and what must be true then. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { Repositories } from '../../src/collaboration/repositories.ts'
import { recoverData } from '../../src/node-data.ts'
import { dataPaths, prepareDataDirectory } from '../../src/storage/data-directory.ts'
import { Database } from '../../src/storage/database/database.ts'
import { diskFileSystem, type FileSystem } from '../../src/storage/file-system.ts'
import { KeyedMutex } from '../../src/storage/keyed-mutex.ts'
import { Lease } from '../../src/storage/lease.ts'
import { unobserved } from '../../src/storage/observe.ts'
import { signerOf } from '../../src/storage/repositories/ref-log.ts'
import { damagedHelps } from '../../src/storage/objects/check-helps.ts'
import { readPackTimes } from '../../src/storage/objects/pack-times.ts'
import { ObjectStore } from '../../src/storage/objects/object-store.ts'
import { RefLog } from '../../src/storage/repositories/ref-log-store.ts'
import { RefStore } from '../../src/storage/repositories/ref-store.ts'
import { RepositoryFiles } from '../../src/storage/repositories/repository-files.ts'
import { RefProjector } from '../../src/transfer/ref-projector.ts'
import { fsck, Git } from '../support/git.ts'
import type { Tree } from './disk-model.ts'
import { type CrashState, hashOf } from './enumerate.ts'
import { worldOf } from './record.ts'
import { repositoriesIn } from './repositories-in.ts'

export interface Recovered {
  /** As `worldOf` tells it. */
  readonly world: string
  /** What is wrong; none: all is well. */
  readonly damage: readonly string[]
  /** Of all repositories as they are now. */
  readonly hash: string
}

/** Makes a data directory what it is after the crash. */
export function materialise({ tree, database }: CrashState, root: string): void {
  writeTree(tree, root)
  copyFileSync(database, dataPaths(root).database)
}

/** By `OWNER/NAME.git`, with a hash of what is in it: most crash states end as one of few repositories. */
const verdicts = new Map<string, Promise<DiskVerdict>>()

/**
 * Does to a data directory what a node does to it at its start, and looks at what came of it.
 *
 * @param onOpened told of the database before anything is written to it
 */
export async function recover(
  root: string,
  fileSystem: FileSystem = diskFileSystem,
  onOpened?: (database: Database) => void,
): Promise<Recovered> {
  const damage: string[] = []
  const logger = pino({ level: 'error' }, { write: (line: string) => void damage.push(`the start logged: ${line}`) })
  await using stack = new AsyncDisposableStack()
  const paths = await prepareDataDirectory(root)
  const database = await Database.open(paths.database)
  stack.defer(() => database.close())
  onOpened?.(database)
  const lease = new Lease(database, (err) => logger.error({ err }, 'The lease could not be renewed'))
  await lease.start()
  stack.defer(() => lease.stop())
  const files = new RepositoryFiles(paths, fileSystem)
  stack.defer(() => files.close())
  const log = new RefLog(database, signerOf(Buffer.alloc(32)))
  const refs = new RefStore(database, lease, log)
  const common = { database, lease, refs, files, observe: unobserved, logger }
  const projector = new RefProjector({ ...common, fileSystem })
  const locks = new KeyedMutex()
  const writeGate = { assertWritable() {} }
  const repositories = new Repositories({ ...common, writeGate, locks, showHead: async () => {} })
  await recoverData({ paths, database, lease, log, repositories, transfer: { projector } }, fileSystem, logger)

  for (const folder of [paths.quarantine, paths.trash]) {
    for (const name of readdirSync(folder)) damage.push(`${name} is left in ${folder.slice(root.length + 1)}`)
  }
  const known = await repositoriesIn(database)
  const folders = await files.folders()
  for (const { owner, name } of folders) {
    const isKnown = known.some((one) => one.owner === owner && one.name === name)
    if (!isKnown) damage.push(`a folder ${owner}/${name} is left that no repository stands for`)
  }
  const tree = new Map<string, Tree>()
  for (const repository of known) {
    const path = files.path(repository)
    const content = readTree(path)
    tree.set(`${repository.owner}/${repository.name}`, content)
    const hash = hashOf(content)
    const verdict = verdicts.get(hash) ?? judge(path)
    verdicts.set(hash, verdict)
    const { head, refs: shown, complaints } = await verdict
    damage.push(...complaints)
    const snapshot = refs.snapshot(repository.id)
    const wanted = snapshot.refs.map(({ oid, peeled, name }) => `${oid} ${peeled ?? ''} ${name}`)
    const missing = wanted.find((line) => !shown.includes(line))
    if (missing !== undefined) damage.push(`the refs on disk lack ${missing}`)
    if (shown.length > wanted.length) damage.push('there are more refs on disk than in the database')
    if (head !== snapshot.head) damage.push(`HEAD on disk is ${head} instead of ${snapshot.head}`)
  }
  return { world: await worldOf({ database, refs }), damage, hash: hashOf(tree) }
}

interface DiskVerdict {
  readonly head: string
  /** Id, peeled id or nothing, name. */
  readonly refs: readonly string[]
  readonly complaints: readonly string[]
}

/** By C git. */
async function judge(path: string): Promise<DiskVerdict> {
  const git = new Git(path)
  const complaints: string[] = []
  await fsck(path).catch((error: Error) => complaints.push(error.message))
  const bare = await git.try(['config', '--file', 'config', 'core.bare'])
  if (bare.stdout !== 'true\n') complaints.push(`the repository is not bare: ${bare.stdout}${bare.stderr}`)
  const head = await git.try(['symbolic-ref', 'HEAD'])
  // Not for-each-ref, which reads the objects itself: what packed-refs says of tags is to be looked at, too.
  const refs = await git.try(['show-ref', '--dereference'])
  if (head.stderr !== '' || refs.stderr !== '') complaints.push(`git says: ${head.stderr}${refs.stderr}`)
  const packs = readdirSync(join(path, 'objects/pack'))
  const kept = packs.filter((name) => !/\.(pack|idx)$/.test(name) && !belongs(packs, name))
  const store = ObjectStore.open(path, 2 ** 16)
  complaints.push(...damagedHelps(path, store.packs))
  const timed = store.packs.filter(({ name }) => packs.includes(`${name}.mtimes`))
  for (const pack of timed)
    if (readPackTimes(pack) === undefined) complaints.push(`the times of ${pack.name} are damaged`)
  store.close()
  const others = readdirSync(path).filter((name) => !REPOSITORY_NAMES.has(name))
  for (const name of [...kept, ...others]) complaints.push(`${name} is left in the repository`)
  return { head: head.stdout.trimEnd(), refs: withPeeled(refs.stdout), complaints }
}

/** To a pack that is there. */
const belongs = (packs: readonly string[], name: string): boolean =>
  /\.(bitmap|mtimes)$/.test(name) && packs.includes(name.replace(/\.[a-z]+$/, '.idx'))

const REPOSITORY_NAMES = new Set(['HEAD', 'config', 'objects', 'refs', 'packed-refs'])

/** From `show-ref`, which has a line `ID NAME^{}` after that of an annotated tag. */
function withPeeled(listed: string): string[] {
  const lines = listed.split('\n').filter((line) => line !== '')
  const peeled = new Map(lines.filter(isPeeled).map((line) => [line.slice(41, -'^{}'.length), line.slice(0, 40)]))
  return lines
    .filter((line) => !isPeeled(line))
    .map((line) => `${line.slice(0, 40)} ${peeled.get(line.slice(41)) ?? ''} ${line.slice(41)}`)
}

function isPeeled(line: string): boolean {
  return line.endsWith('^{}')
}

function writeTree(tree: Tree, path: string): void {
  mkdirSync(path, { recursive: true })
  for (const [name, node] of tree) {
    if (Buffer.isBuffer(node)) writeFileSync(join(path, name), node)
    else writeTree(node, join(path, name))
  }
}

function readTree(path: string): Tree {
  const entries = readdirSync(path, { withFileTypes: true })
  return new Map(
    entries.map(({ name }, at) => [
      name,
      entries[at]?.isDirectory() === true ? readTree(join(path, name)) : readFileSync(join(path, name)),
    ]),
  )
}
