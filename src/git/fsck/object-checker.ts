import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import { checkObject } from './check-object.ts'
import { FsckError, type FsckId } from './error.ts'
import { checkGitattributes, GITATTRIBUTES_BYTES_MAX } from './gitattributes.ts'
import { checkGitmodules } from './gitmodules.ts'
import type { SpecialFile } from './tree.ts'

/**
 * git takes up to core.bigFileThreshold (512 MiB), which nobody has: to read so much as configuration, byte by byte,
 * would hold a worker for seconds.
 */
export const GITMODULES_BYTES_MAX = GITATTRIBUTES_BYTES_MAX

const FILES = {
  gitmodules: {
    flag: 1,
    missing: 'gitmodulesMissing',
    notABlob: 'gitmodulesBlob',
    check: (data: Buffer) => (data.length > GITMODULES_BYTES_MAX ? 'gitmodulesLarge' : checkGitmodules(data)),
  },
  gitattributes: {
    flag: 4,
    missing: 'gitattributesMissing',
    notABlob: 'gitattributesBlob',
    check: checkGitattributes,
  },
} as const satisfies Record<
  SpecialFile,
  { flag: number; missing: FsckId; notABlob: FsckId; check: (data: Buffer) => FsckId | undefined }
>

const ROLES = Object.values(FILES)
/** Beside the flag of each role: its check is done. */
const doneFlag = (flag: number) => flag << 1

/** Reads any object of the pack or of the repository that it goes to; undefined if there is none of this id. */
export type ReadObject = (oid: Buffer) => { readonly type: number; readonly data: Buffer } | undefined

/**
 * Checks the objects of one push as `git index-pack --strict` and `git fsck --strict` do: `check` each once, in any
 * order, then `finish`. A file that a tree calls `.gitmodules` or `.gitattributes` is checked when it comes by after the
 * tree, else in `finish`.
 */
export class ObjectChecker {
  /** Special files by id → flags of their roles and of what is done. */
  readonly #special = new OidMap(64)
  #tree: Buffer = Buffer.alloc(0)

  readonly #onSpecialFile = (file: SpecialFile, oidAt: number): void => {
    const flags = Math.max(0, this.#special.get(this.#tree, oidAt))
    this.#special.set(this.#tree, oidAt, flags | FILES[file].flag)
  }

  /**
   * @param type 1–4
   * @param oids holds the object's id at `oidAt`
   * @throws FsckError object_refused
   */
  check(type: number, data: Buffer, oids: Buffer, oidAt = 0): void {
    if (type === OBJECT_TYPE.blob) {
      if (this.isSpecial(oids, oidAt)) this.#checkSpecial(type, data, oids, oidAt)
      return
    }
    this.#tree = data
    refuseIf(checkObject(type, data, this.#onSpecialFile), oids, oidAt)
  }

  /** Whether a tree that came by calls the object by a name for which its bytes are read. */
  isSpecial(oids: Buffer, oidAt: number): boolean {
    return this.#special.size > 0 && this.#special.get(oids, oidAt) >= 0
  }

  /** @throws FsckError object_refused */
  finish(readObject: ReadObject): void {
    const left: Buffer[] = []
    this.#special.forEach((oids, oidAt, flags) => {
      if (ROLES.some(({ flag }) => (flags & flag) !== 0 && (flags & doneFlag(flag)) === 0))
        left.push(Buffer.from(oids.subarray(oidAt, oidAt + 20)))
    })
    for (const oid of left) {
      const object = readObject(oid)
      if (object !== undefined) this.#checkSpecial(object.type, object.data, oid, 0)
      else this.#forEachRole(oid, 0, (role) => role.missing)
    }
  }

  #checkSpecial(type: number, data: Buffer, oids: Buffer, oidAt: number): void {
    this.#forEachRole(oids, oidAt, (role) => (type === OBJECT_TYPE.blob ? role.check(data) : role.notABlob))
  }

  /** Checks the object in those of its roles that are not done yet. */
  #forEachRole(oids: Buffer, oidAt: number, check: (role: (typeof ROLES)[number]) => FsckId | undefined): void {
    let flags = this.#special.get(oids, oidAt)
    if (flags < 0) return
    for (const role of ROLES) {
      if ((flags & role.flag) === 0 || (flags & doneFlag(role.flag)) !== 0) continue
      flags |= doneFlag(role.flag)
      this.#special.set(oids, oidAt, flags)
      refuseIf(check(role), oids, oidAt)
    }
  }
}

function refuseIf(id: FsckId | undefined, oids: Buffer, oidAt: number): void {
  if (id !== undefined) throw FsckError.of(id, oids.toString('hex', oidAt, oidAt + 20))
}
