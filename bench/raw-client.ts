/** A git client without the work of one: speaks the protocol, reads the answer and drops it, so that hosts are measured. */
import { encodePktLine, DELIM, FLUSH } from '../src/git/pkt-line.ts'
import { RawExchange } from './raw-exchange.ts'

export interface Target {
  /** Of the repository, without credentials. */
  readonly url: string
  readonly authorization?: string
}

const ZERO_OID = '0'.repeat(40)
const PROTOCOL_2 = 'Git-Protocol: version=2'
/** What a node takes at once, by default. */
const PUSH_COMMANDS_MAX = 10_000
const REPORT_SHOWN = 500
const CLONE_PREFIXES = ['refs/heads/', 'refs/tags/', 'HEAD']

/** One connection that is kept alive. */
export class RawClient {
  readonly #exchange: RawExchange
  readonly #path: string
  readonly #authorization: readonly string[]

  constructor({ url, authorization }: Target) {
    const parsed = new URL(url)
    this.#exchange = new RawExchange(parsed)
    this.#path = parsed.pathname
    this.#authorization = authorization === undefined ? [] : [`Authorization: ${authorization}`]
  }

  close(): void {
    this.#exchange.close()
  }

  /** What is at the target's address itself, or below it. @returns bytes of the answer */
  get(path = '', take?: (bytes: Buffer) => void): Promise<number> {
    return this.#ask('GET', path, [], [], take)
  }

  /** The first answer of protocol 0: all refs. */
  advertisement(take?: (bytes: Buffer) => void): Promise<number> {
    return this.get('/info/refs?service=git-upload-pack', take)
  }

  /** The first answer of protocol 2. */
  capabilities(take?: (bytes: Buffer) => void): Promise<number> {
    return this.#ask('GET', '/info/refs?service=git-upload-pack', [PROTOCOL_2], [], take)
  }

  /** Protocol 2, as `git ls-remote` asks. @returns the answer */
  async lsRefs(): Promise<string> {
    return (await kept((take) => this.takeRefs(take))).toString('latin1')
  }

  takeRefs(take?: (bytes: Buffer) => void): Promise<number> {
    const args = ['peel', 'symrefs', ...CLONE_PREFIXES.map((prefix) => `ref-prefix ${prefix}`)]
    return this.#command('ls-refs', args, take)
  }

  /** Everything, as a first `git clone` asks for it. @returns bytes of the last answer */
  async clone(take?: (bytes: Buffer) => void): Promise<number> {
    await this.capabilities()
    return this.fetch(wantsOf(await this.lsRefs()), take)
  }

  /** A fetch in one round. @param lines what is wanted and had. @returns bytes of the answer */
  fetch(lines: readonly string[], take?: (bytes: Buffer) => void): Promise<number> {
    return this.#command('fetch', ['thin-pack', 'no-progress', 'include-tag', 'ofs-delta', ...lines, 'done'], take)
  }

  /** @param old what the ref is now, where there is one. @throws Error what the host said, where it refused */
  push(ref: string, oid: string, pack: Buffer, old = ZERO_OID): Promise<void> {
    return this.#push([`${old} ${oid} ${ref}`], pack)
  }

  /** Makes all these refs, which point to the same. @throws Error what the host said, where it refused */
  async pushRefs(refs: readonly string[], oid: string, pack: Buffer): Promise<void> {
    for (let at = 0; at < refs.length; at += PUSH_COMMANDS_MAX) {
      const some = refs.slice(at, at + PUSH_COMMANDS_MAX)
      await this.#push(
        some.map((ref) => `${ZERO_OID} ${oid} ${ref}`),
        pack,
      )
    }
  }

  async #push(commands: readonly string[], pack: Buffer): Promise<void> {
    const [first, ...others] = commands
    const capabilities = 'report-status side-band-64k object-format=sha1 agent=bench'
    const lines = [`${first}\0${capabilities}`, ...others].map((command) => encodePktLine(command))
    const request = [Buffer.concat([...lines, FLUSH]), pack]
    const report = (await kept((take) => this.#post('git-receive-pack', request, take))).toString('latin1')
    // Of many commands some lines of the report are cut by bands: all are well where one is, and none is refused.
    const isFine = report.includes('unpack ok') && report.includes('ok refs/') && !/ng refs\//.test(report)
    if (!isFine) throw new Error(`The push failed: ${report.slice(0, REPORT_SHOWN)}`)
  }

  #command(name: string, args: readonly string[], take?: (bytes: Buffer) => void): Promise<number> {
    const head = [encodePktLine(`command=${name}\n`), encodePktLine('object-format=sha1\n'), DELIM]
    const body = Buffer.concat([...head, ...args.map((arg) => encodePktLine(`${arg}\n`)), FLUSH])
    return this.#post('git-upload-pack', [body], take)
  }

  #post(service: string, body: readonly Buffer[], take?: (bytes: Buffer) => void): Promise<number> {
    const headers = [PROTOCOL_2, `Content-Type: application/x-${service}-request`]
    return this.#ask('POST', `/${service}`, headers, body, take)
  }

  #ask(
    method: 'GET' | 'POST',
    path: string,
    headers: readonly string[],
    body: readonly Buffer[],
    take?: (bytes: Buffer) => void,
  ): Promise<number> {
    const all = [...this.#authorization, ...headers]
    return this.#exchange.ask({ method, path: `${this.#path}${path}`, headers: all, body, ...(take && { take }) })
  }
}

/** Each object that a listing of protocol 2 names. */
export function wantsOf(listing: string): string[] {
  const oids = new Set(Array.from(listing.matchAll(/[0-9a-f]{4}([0-9a-f]{40}) /g), ([, oid = '']) => oid))
  return Array.from(oids, (oid) => `want ${oid}`)
}

/** The whole of an answer. */
export async function kept(ask: (take: (bytes: Buffer) => void) => Promise<number>): Promise<Buffer> {
  const pieces: Buffer[] = []
  await ask((bytes) => pieces.push(Buffer.from(bytes)))
  return Buffer.concat(pieces)
}
