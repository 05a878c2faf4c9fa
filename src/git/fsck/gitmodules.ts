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

/** A section about a submodule. */
interface Section {
  readonly submodule: string
  /** What git takes for the key of every value in it, where that is not what is written. */
  readonly key: string | undefined
  isNameChecked: boolean
}

class GitmodulesCheck implements ConfigVisitor {
  found: FsckId | undefined
  /** That is being read; undefined in one about something else. */
  #section: Section | undefined

  onSection(name: string): void {
    this.#section = sectionOf(name)
  }

  onValue(writtenKey: string, value: string | undefined): void {
    const section = this.#section
    if (section === undefined) return
    // A section without values does not count, and a long name must not be checked for each of a million values.
    if (!section.isNameChecked) {
      section.isNameChecked = true
      if (!isSubmoduleNameAllowed(section.submodule)) this.found ??= 'gitmodulesName'
    }
    if (value !== undefined) this.found ??= checkValue(section.key ?? writtenKey, untilNul(value))
  }
}

const PREFIX = 'submodule.'

/** To git, section and key are one C string, which a NUL ends early: the key is then what follows the last dot. */
function sectionOf(name: string): Section | undefined {
  const variable = untilNul(name)
  if (!variable.startsWith(PREFIX)) return undefined
  if (variable === name) return { submodule: name.slice(PREFIX.length), key: undefined, isNameChecked: false }
  const dot = variable.lastIndexOf('.')
  if (dot < PREFIX.length) return undefined
  return { submodule: variable.slice(PREFIX.length, dot), key: variable.slice(dot + 1), isNameChecked: false }
}

function untilNul(text: string): string {
  return text.split('\0', 1)[0] as string
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
