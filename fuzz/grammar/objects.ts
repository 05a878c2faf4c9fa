/** Trees from lines of text, so that the fuzzer changes names and modes and not the framing around them. */

const ID_BYTES = 20
const DIRECTORY_MODE = '40000'

interface Entry {
  readonly mode: string
  readonly name: Buffer
}

/**
 * Each line is a mode, a space and a name; the object that an entry names follows from them.
 *
 * @param isSorted in git's order, in which a directory is sorted as if its name ended with a slash
 */
export function makeTree(text: Buffer, isSorted: boolean): Buffer {
  const entries = text.toString('latin1').split('\n').map(entryOf)
  if (isSorted) entries.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)))
  return Buffer.concat(entries.map(encode))
}

function entryOf(line: string): Entry {
  const space = line.indexOf(' ')
  const mode = space < 0 ? '100644' : line.slice(0, space)
  return { mode, name: Buffer.from(line.slice(space + 1), 'latin1') }
}

function sortKey({ mode, name }: Entry): Buffer {
  return Buffer.concat([name, Buffer.from(mode === DIRECTORY_MODE ? '/' : '\0')])
}

function encode({ mode, name }: Entry): Buffer {
  const id = Buffer.alloc(ID_BYTES, 0x11)
  name.copy(id)
  return Buffer.concat([Buffer.from(`${mode} `, 'latin1'), name, Buffer.of(0), id])
}
