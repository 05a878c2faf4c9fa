/** The commands of a push in a few bytes each, so that one byte more or less means another ref or another object. */
import { encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
import { NO_OID } from '../../src/git/object/no-oid.ts'
import type { Cursor } from './cursor.ts'
import { FIXED_OBJECTS } from './fixed-repository.ts'
import { type MadePush, runPushProgram } from './push-program.ts'

/** Some are there, some are in the way of each other, some are no names. */
const REFS = [
  'refs/heads/main',
  'refs/heads/side',
  'refs/heads/old/root',
  'refs/heads/old',
  'refs/heads/new',
  'refs/heads/new/below',
  'refs/heads/main/below',
  'refs/tags/v1',
  'refs/tags/v2',
  'refs/tags/light',
  'refs/notes/commits',
  'refs/heads/a.lock',
  'HEAD',
  'refs/heads/ö',
] as const
const CAPABILITIES = ['report-status', 'side-band-64k', 'atomic', 'report-status-v2', 'side-band', 'quiet'] as const
/** A command's old value: what the ref is, where the choice is 0; none for 1; else an object. */
const OLD = { current: 0, none: 1 } as const

export interface PushSteps extends MadePush {
  readonly body: Buffer
}

/**
 * A byte for the capabilities, one for the number of commands, three for each of them, and a program for the pack. New
 * values are made by it, from the last one on: 0 is none.
 *
 * @param refs as they are
 */
export function runPushSteps(input: Cursor, refs: ReadonlyMap<string, string>, programBytes?: number): PushSteps {
  const mask = input.byte()
  const capabilities = CAPABILITIES.filter((_, at) => (mask & (1 << at)) !== 0)
  const choices = Array.from({ length: input.byte() & 7 }, () => [...input.take(3)])
  const made = runPushProgram(input, programBytes)
  const lines = choices.map(([ref = 0, old = 0, wanted = 0], at) => {
    const name = REFS[ref % REFS.length] as string
    const newOid = wanted === 0 ? NO_OID : chosen(wanted - 1, made)
    const line = `${oldOid(old, refs.get(name))} ${newOid} ${name}`
    return encodePktLine(at === 0 ? `${line}\0${capabilities.join(' ')}\n` : `${line}\n`)
  })
  return { ...made, body: Buffer.concat([...lines, FLUSH, made.pack]) }
}

function oldOid(choice: number, current: string | undefined): string {
  if (choice === OLD.current) return current ?? NO_OID
  if (choice === OLD.none) return NO_OID
  return FIXED_OBJECTS[choice % FIXED_OBJECTS.length]?.oid ?? NO_OID
}

function chosen(choice: number, { objects }: MadePush): string {
  const made = choice < 0x80 ? objects.at(-1 - choice) : undefined
  return (made ?? FIXED_OBJECTS[(choice & 0x7f) % FIXED_OBJECTS.length])?.oid ?? NO_OID
}
