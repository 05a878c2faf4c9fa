import assert from 'node:assert/strict'
import { CommitGraph } from '../../src/git/commit-graph/commit-graph.ts'
import { CommitGraphError } from '../../src/git/commit-graph/error.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { Cursor } from '../grammar/cursor.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { readGraph } from '../oracles/naive-graph.ts'
import type { NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'commit-graph files',
  drives: {
    'src/git/commit-graph/commit-graph.ts': [
      'CommitGraph',
      'treeOf',
      'parentsOf',
      'timeSOf',
      'levelOf',
      'readChunks',
      'mustHave',
    ],
    'src/git/object/sorted-names.ts': ['isFanout', 'rankOf', 'at', 'hexAt'],
  },
  inputBytesMax: 4_096,
  words: ['CGPH\x01\x01\x03\0', 'OIDF', 'OIDL', 'CDAT', 'EDGE', '\x70\0\0\0', '\x80\0\0\0', '\xff\xff\xff\xff'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'parents-without-end': {
      why: 'a list of parents that never says that it ends is read on beyond its chunk',
      file: 'src/git/commit-graph/commit-graph.ts',
      from: "      if (place * 4 + 4 > this.#edges.bytes) throw commitGraphInvalid('its list of parents has no end')\n",
      to: '',
    },
  },
  seeds: ({ commitGraphs }) => Object.fromEntries(commitGraphs.flatMap(seedsOf)),
} satisfies FuzzTarget

/**
 * The first byte says whether the file's checksum is put right (bit 0).
 *
 * Oracle: refused with a CommitGraphError, or of every commit what a second reader finds, if only that its parents are
 * damaged; a name is found where it is, as far as the names are in order.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const bytes = (input.byte() & 1) === 0 ? input.rest() : withChecksum(input.rest())
  const graph = unlessRefused([CommitGraphError], () => new CommitGraph(bytes))
  if (graph === undefined) return
  const expected = readGraph(bytes)
  assert.equal(graph.count, expected.length)
  for (const [rank, commit] of expected.entries()) {
    const parents: number[] | undefined = unlessRefused([CommitGraphError], (): number[] => graph.parentsOf(rank))
    const tree = graph.treeOf(rank).toString('hex')
    const name = graph.names.hexAt(rank)
    assert.deepEqual({ name, tree, parents, timeS: graph.timeSOf(rank), level: graph.levelOf(rank) }, commit)
    const found = graph.names.rankOf(graph.names.at(rank))
    assert(found === -1 || graph.names.hexAt(found) === name)
  }
}

function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  return [
    [name, Buffer.concat([Buffer.from('@'), bytes])],
    [`${name}, its checksum put right`, Buffer.concat([Buffer.from('A'), bytes.subarray(0, -20)])],
  ]
}
