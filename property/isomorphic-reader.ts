/**
 * Reads packs with isomorphic-git, in a process of its own: hostile packs exhaust its heap.
 *
 * `node isomorphic-reader.ts FOLDER`: makes an index beside each `NAME.pack` in the folder, and prints every object of
 * each as a line of JSON.
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { indexPack, init, readObject } from 'isomorphic-git'

const [folder = ''] = process.argv.slice(2)
const gitdir = join(folder, 'read.git')

for (const name of fs
  .readdirSync(folder)
  .filter((one) => one.endsWith('.pack'))
  .sort()) {
  fs.rmSync(gitdir, { recursive: true, force: true })
  await init({ fs, gitdir, bare: true, dir: folder })
  const path = join(gitdir, 'objects/pack', name)
  fs.copyFileSync(join(folder, name), path)
  const { oids } = await indexPack({ fs, dir: gitdir, gitdir, filepath: `objects/pack/${name}` })
  fs.copyFileSync(path.replace(/\.pack$/, '.idx'), join(folder, name.replace(/\.pack$/, '.idx')))
  for (const oid of oids) {
    const { type, object } = await readObject({ fs, dir: gitdir, gitdir, oid, format: 'parsed' })
    const shown = object instanceof Uint8Array ? Buffer.from(object).toString('latin1') : object
    console.log(JSON.stringify({ pack: name, oid, type, object: shown }))
  }
}
