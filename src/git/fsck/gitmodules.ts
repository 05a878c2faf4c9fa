import { type CharSign, type ConfigVisitor, parseConfig } from './config-parser.ts'
import type { FsckId } from './error.ts'
import { isSubmoduleUrlAllowed, looksLikeOption } from './submodule-url.ts'

/**
 * What git refuses in the content of a `.gitmodules` ("fsck.c", fsck_gitmodules_fn). One that cannot be read to its end is
 * only remarked on, but what was read until then counts.
 */
export function checkGitmodules(data: Buffer): FsckId | undefined {
  // Other people's git runs on other machines: refused is what any of them would refuse.
  return checkAs('unsigned', data) ?? (data.includes(0xff) ? checkAs('signed', data) : undefined)
}

function checkAs(charSign: CharSign, data: Buffer): FsckId | undefined {
  const check = new GitmodulesCheck()
  parseConfig(data, charSign, check)
  return check.found
}

class GitmodulesCheck implements ConfigVisitor {
  found: FsckId | undefined
  /** Of the section that is being read; undefined outside of sections about a submodule. */
  #submodule: string | undefined
  /** What git takes for the key of every value in this section. */
  #keyOfSection: string | undefined
  #isNameChecked = false

  onSection(name: string): void {
    this.#submodule = undefined
    this.#keyOfSection = undefined
    this.#isNameChecked = false
    const prefix = 'submodule.'
    // To git, section and key are one C string, which a NUL ends early: the key is then what follows the last dot.
    const nul = name.indexOf('\0')
    const variable = nul < 0 ? name : name.slice(0, nul)
    if (!variable.startsWith(prefix)) return
    if (nul < 0) {
      this.#submodule = name.slice(prefix.length)
      return
    }
    const dot = variable.lastIndexOf('.')
    if (dot < prefix.length) return
    this.#submodule = variable.slice(prefix.length, dot)
    this.#keyOfSection = variable.slice(dot + 1)
  }

  onValue(writtenKey: string, value: string | undefined): void {
    if (this.#submodule === undefined || this.found !== undefined) return
    // A section without values does not count, and a long name must not be checked for each of a million values.
    if (!this.#isNameChecked) {
      this.#isNameChecked = true
      if (!isSubmoduleNameAllowed(this.#submodule)) this.found = 'gitmodulesName'
    }
    if (this.found !== undefined || value === undefined) return
    const key = this.#keyOfSection ?? writtenKey
    const nul = value.indexOf('\0')
    this.found = checkValue(key, nul < 0 ? value : value.slice(0, nul))
  }
}

function checkValue(key: string, value: string): FsckId | undefined {
  if (key === 'url' && !isSubmoduleUrlAllowed(value)) return 'gitmodulesUrl'
  if (key === 'path' && looksLikeOption(value)) return 'gitmodulesPath'
  if (key === 'update' && value.startsWith('!')) return 'gitmodulesUpdate'
  return undefined
}

/** A name becomes a path below `.git/modules`: no empty one, and none with `..` as a part of it. */
function isSubmoduleNameAllowed(name: string): boolean {
  return name !== '' && !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(name)
}
