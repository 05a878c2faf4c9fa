/** For tests: packs as pushes leave them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blob, pack, whole } from '../../../integration/support/pack-maker.ts'
import { encodePackIndex } from '../../git/pack/index-file.ts'

/** @returns its name. @param text of its one blob */
export function writePack(repositoryPath: string, text: string): string {
  const object = blob(text)
  const bytes = pack([whole(object)])
  const oids = Buffer.from(object.oid, 'hex')
  const found = { count: 1, oids, names: Int32Array.of(0), crcs: new Uint32Array(1), offsets: Float64Array.of(12) }
  const index = encodePackIndex(found, bytes.subarray(-20))
  const path = join(repositoryPath, 'objects/pack', `pack-${index.packName}`)
  writeFileSync(`${path}.pack`, bytes)
  writeFileSync(`${path}.idx`, index.bytes)
  return index.packName
}
