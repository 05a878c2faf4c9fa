import assert from 'node:assert/strict'
import { encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
import { NO_OID } from '../../src/git/object/no-oid.ts'
import { FIXED_PACK, FIXED_REFS } from '../grammar/fixed-repository.ts'
import { RepositoryHere } from './repository-here.ts'

let opened: Promise<RepositoryHere> | undefined

/** The one of this process, as each input finds it: pushed once, through the handler. */
export function openFixedRepository(): Promise<RepositoryHere> {
  return (opened ??= makeFixedRepository())
}

async function makeFixedRepository(): Promise<RepositoryHere> {
  const made = await RepositoryHere.make()
  const commands = Array.from(FIXED_REFS, ([ref, oid], at) =>
    encodePktLine(`${NO_OID} ${oid} ${ref}${at === 0 ? '\0report-status' : ''}\n`),
  )
  const body = Buffer.concat([...commands, FLUSH, FIXED_PACK])
  const { error } = await made.ask({ service: 'git-receive-pack', version: '0', body })
  assert.ifError(error)
  assert.deepEqual(made.refs, FIXED_REFS)
  made.keep()
  return made
}

/** All of it at once for 0, else in pieces. */
export function inPieces(body: Buffer, pieceBytes: number): Buffer | AsyncIterable<Buffer> {
  return pieceBytes === 0 ? body : cut(body, pieceBytes)
}

async function* cut(body: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += pieceBytes) yield Buffer.from(body.subarray(at, at + pieceBytes))
}
