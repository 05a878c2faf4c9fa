/** The repository that requests are made to: a merge, tags, folders, and all of it in one pack. */
import { blob, commit, type MadeObject, pack, tag, tree, whole } from '../../integration/support/pack-maker.ts'
import { nameOfLetter } from './requests.ts'

const line = 'a line that stays\n'
const [short, long, longer] = [blob('short\n'), blob(line.repeat(8)), blob(`${line.repeat(8)}and another\n`)]
const folder = tree(['100644', 'long', longer.oid])
const [rootTree, mainTree, sideTree, mergedTree] = [
  tree(['100644', 'short', short.oid]),
  tree(['100644', 'long', long.oid], ['100644', 'short', short.oid]),
  tree(['40000', 'folder', folder.oid], ['100644', 'short', short.oid]),
  tree(['40000', 'folder', folder.oid], ['100644', 'long', long.oid], ['120000', 'short', short.oid]),
]
const root = commit(rootTree.oid, [], 'root\n')
const main = commit(mainTree.oid, [root.oid], 'main\n')
const side = commit(sideTree.oid, [root.oid], 'side\n')
const merge = commit(mergedTree.oid, [main.oid, side.oid], 'merge\n')
const annotated = tag(main.oid, 'commit')

/** Named `@a`, `@b`, … in requests. */
export const FIXED_OBJECTS: readonly MadeObject[] = [
  merge,
  side,
  main,
  root,
  annotated,
  mergedTree,
  sideTree,
  mainTree,
  rootTree,
  folder,
  short,
  long,
  longer,
]
const BY_NAME: ReadonlyMap<string, MadeObject> = new Map(FIXED_OBJECTS.map((object) => [object.oid, object]))

export const FIXED_REFS: ReadonlyMap<string, string> = new Map([
  ['refs/heads/main', merge.oid],
  ['refs/heads/old/root', root.oid],
  ['refs/heads/side', side.oid],
  ['refs/tags/light', root.oid],
  ['refs/tags/v1', annotated.oid],
])

export const FIXED_PACK = pack(FIXED_OBJECTS.map((object) => whole(object)))

export function fixedObject(oid: string): MadeObject | undefined {
  return BY_NAME.get(oid)
}

/** `a` → 40 hex digits; letters behind the last object name nothing that is there. */
export function fixedName(letter: string): string {
  return FIXED_OBJECTS[letter.charCodeAt(0) - 0x61]?.oid ?? nameOfLetter(letter)
}

/** The other way round, for seeds. */
export const FIXED_LETTERS: ReadonlyMap<string, string> = new Map(
  FIXED_OBJECTS.map(({ oid }, at) => [oid, String.fromCharCode(0x61 + at)]),
)
