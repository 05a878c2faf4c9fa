/** A second reader of commit-graph files, written from gitformat-commit-graph alone. */

export interface NaiveCommit {
  readonly name: string
  readonly tree: string
  /** Ranks; undefined: they cannot be read. */
  readonly parents: readonly number[] | undefined
  readonly timeS: number
  readonly level: number
}

/** Of a file whose header, checksum and lengths of chunks are right. */
export function readGraph(bytes: Buffer): NaiveCommit[] {
  const chunk = (id: string): Buffer => {
    let found: Buffer = Buffer.alloc(0)
    // Of chunks that there are twice the last one counts.
    for (let row = 0; row < bytes.readUInt8(6); row++) {
      const at = 8 + row * 12
      const [from, to] = [bytes.readBigUInt64BE(at + 4), bytes.readBigUInt64BE(at + 16)].map(Number)
      if (bytes.toString('latin1', at, at + 4) === id) found = bytes.subarray(from, to)
    }
    return found
  }
  const [names, data, edges] = [chunk('OIDL'), chunk('CDAT'), chunk('EDGE')]
  const count = names.length / 20
  return Array.from({ length: count }, (_, rank) => {
    const [, tree = '', first = '', second = '', high = '', low = ''] =
      /^(.{40})(.{8})(.{8})(.{8})(.{8})$/.exec(data.toString('hex', rank * 36, rank * 36 + 36)) ?? []
    const date = BigInt(`0x${high}${low}`)
    const parents = parentsOf(Number(`0x${first}`), Number(`0x${second}`), edges)
    return {
      name: names.toString('hex', rank * 20, rank * 20 + 20),
      tree,
      parents: parents?.every((parent) => parent < count) === true ? parents : undefined,
      timeS: Number(date & (2n ** 34n - 1n)),
      level: Number(date >> 34n),
    }
  })
}

const NONE = 0x70000000
const IN_LIST = 0x80000000

function parentsOf(first: number, second: number, edges: Buffer): number[] | undefined {
  if (first === NONE) return []
  if (second === NONE) return [first]
  if (second < IN_LIST) return [first, second]
  const list = edges.subarray((second - IN_LIST) * 4)
  const words = Array.from({ length: Math.floor(list.length / 4) }, (_, at) => list.readUInt32BE(at * 4))
  const last = words.findIndex((word) => word >= IN_LIST)
  if (last < 0) return undefined
  return [first, ...words.slice(0, last + 1).map((word) => word % IN_LIST)]
}
