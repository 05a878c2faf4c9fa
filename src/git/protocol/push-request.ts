/** The commands that a push begins with (gitprotocol-pack, "Reference Update Request and Packfile Transfer"). */
import { NO_OID } from '../object/no-oid.ts'
import { isUtf8 } from 'node:buffer'
import type { PktLine } from '../pkt-line.ts'
import { lineText, parseCapabilities, parseOid } from './capabilities.ts'
import { overLimit, ProtocolError, unexpectedLine, unsupportedFeature } from './error.ts'

export interface PushCommand {
  readonly ref: string
  /** undefined: the client saw no such ref */
  readonly oldOid: string | undefined
  /** undefined: delete */
  readonly newOid: string | undefined
}

export interface PushRequest {
  readonly commands: readonly PushCommand[]
  readonly capabilities: ReadonlyMap<string, string>
  /** How many options were sent along (git-push, "--push-option"). They are for hooks, of which there are none here. */
  readonly options: number
}

const NUL = 0

/** Takes the lines before the pack, one after another. */
export class PushRequestParser {
  readonly #commandsMax: number
  readonly #commands: PushCommand[] = []
  #capabilities: ReadonlyMap<string, string> = new Map()
  #shallowLines = 0
  #section: 'commands' | 'options' = 'commands'
  #options = 0

  constructor(commandsMax: number) {
    this.#commandsMax = commandsMax
  }

  /** @returns whether the commands are complete. @throws ProtocolError */
  take(line: PktLine): boolean {
    if (line.type === 'flush') return this.#endSection()
    if (line.type !== 'data') throw unexpectedLine('a command')
    if (this.#section === 'options') return this.#takeOption()
    const nul = line.payload.indexOf(NUL)
    const bytes = nul < 0 ? line.payload : line.payload.subarray(0, nul)
    const text = lineText(bytes)
    if (text.startsWith('shallow ')) return this.#takeShallow(text.slice('shallow '.length))
    // Before anything is refused: they say how the client reads a refusal.
    if (this.#commands.length === 0 && nul >= 0) this.#takeCapabilities(lineText(line.payload.subarray(nul + 1)))
    // The database and the API have text only, and a report has to repeat the very name.
    if (!isUtf8(bytes)) throw new ProtocolError({ code: 'line_unexpected' }, "A ref's name is not UTF-8")
    if (text === 'push-cert' || text.startsWith('push-cert ')) throw unsupportedFeature('signed pushes')
    if (this.#commands.length >= this.#commandsMax) {
      throw overLimit('commands in one push', 'max_push_commands', this.#commandsMax)
    }
    const [, oldOid = '', newOid = '', ref = ''] = /^([^ ]{40}) ([^ ]{40}) (.+)$/s.exec(text) ?? []
    this.#commands.push({ ref, oldOid: realOid(oldOid), newOid: realOid(newOid) })
    return false
  }

  request(): PushRequest {
    return { commands: this.#commands, capabilities: this.#capabilities, options: this.#options }
  }

  #endSection(): boolean {
    if (this.#section === 'options' || !this.#capabilities.has('push-options')) return true
    this.#section = 'options'
    return false
  }

  #takeOption(): boolean {
    this.#options++
    if (this.#options > this.#commandsMax) throw overLimit('push options', 'max_push_commands', this.#commandsMax)
    return false
  }

  /** The sender has no parents of that commit. Whether we have them, the check of the pack will tell. */
  #takeShallow(oid: string): boolean {
    parseOid(oid)
    this.#shallowLines++
    if (this.#shallowLines > this.#commandsMax)
      throw overLimit('shallow commits', 'max_push_commands', this.#commandsMax)
    return false
  }

  #takeCapabilities(text: string): void {
    this.#capabilities = parseCapabilities(text)
    const format = this.#capabilities.get('object-format') ?? 'sha1'
    if (format !== 'sha1') throw unsupportedFeature('object formats other than sha1')
  }
}

function realOid(text: string): string | undefined {
  const oid = parseOid(text)
  return oid === NO_OID ? undefined : oid
}
