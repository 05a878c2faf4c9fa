/** What `guts dev` makes for a person who has nothing yet, and finds again at the next start. */
import { readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { hasErrorCode } from './errors.ts'
import type { Caller } from './collaboration/caller.ts'
import { type Address, formatAddress, reachableHost } from './config/network-values.ts'
import { isSeed, SEED_RULE } from './config/rules.ts'
import type { Config } from './config/schema.ts'
import type { RunningNode } from './node.ts'
import { Subscriptions } from './p2p/replication/subscriptions.ts'
import { writeSecretFile } from './secret-file.ts'
import { StartError } from './start-error.ts'
import { makeDirectories } from './storage/data-directory.ts'

const IDENTITY_FILE = 'identity.key'
const CREDENTIAL_FILE = 'credentials'
const USERNAME = 'admin'
const REPOSITORY = 'first'
const TOKEN_NAME = 'guts dev'
const SEED_BYTES = 32

export interface FirstUser {
  readonly origin: string
  readonly metricsOrigin: string
  readonly username: string
  /** What another node takes to mirror this one: a multiaddr that ends in /p2p/ID. */
  readonly peerAddress: string
  /** Holds the user's token, in the format of git-credential-store. */
  readonly credentialFile: string
  /** Its address. */
  readonly repository: string
  /** For any shell, from within any repository that has a commit. */
  readonly pushCommand: string
}

/** The identity of a node that was given none: made once, and kept with its data. @throws StartError identity_invalid */
export async function keepIdentity(dataDirectory: string): Promise<Uint8Array> {
  const path = join(dataDirectory, IDENTITY_FILE)
  const kept = await readIfThere(path)
  if (kept !== undefined) {
    const text = kept.trim()
    if (isSeed(text)) return new Uint8Array(Buffer.from(text, 'hex'))
    throw new StartError({ code: 'identity_invalid', path }, `${path} must hold ${SEED_RULE} and nothing else`)
  }
  await makeDirectories(dataDirectory)
  const seed = randomBytes(SEED_BYTES)
  await writeSecretFile(path, `${seed.toString('hex')}\n`, 'new')
  return new Uint8Array(seed)
}

/** A user with a token that lies in a credential file, and a repository to push to: made, or found again. */
export async function prepareFirstUser(node: RunningNode, config: Config): Promise<FirstUser> {
  const origin = `http://${reachable({ ...config.apiAddress, port: node.apiPort })}`
  const credentialFile = join(config.dataDirectory, CREDENTIAL_FILE)
  const caller = (await knownCaller(node, credentialFile)) ?? (await newCaller(node))
  const { username } = caller
  const host = origin.slice('http://'.length)
  // Spelt as git itself writes it back after a push.
  const spelt = encodeURIComponent(host).replace(/%\w\w/g, (escape) => escape.toLowerCase())
  const line = `http://${username}:${caller.token}@${spelt}\n`
  // Also when only the address has changed: git finds credentials by host and port.
  if ((await readIfThere(credentialFile)) !== line) await writeSecretFile(credentialFile, line, 'replace')
  const name = await firstRepository(node, caller)
  const path = `/git/${username}/${name}`
  return {
    origin,
    metricsOrigin: `http://${reachable({ ...config.metricsAddress, port: node.internalPort })}`,
    username,
    peerAddress: peerAddress(reachableHost(config.p2pAddress.host), node),
    credentialFile,
    repository: `${origin}${path}`,
    pushCommand: pushCommand(credentialFile, `http://${username}@${host}${path}`),
  }
}

/** On a node that mirrors others, one with a name that theirs do not have. @returns its name */
async function firstRepository({ data, peerId }: RunningNode, caller: Caller): Promise<string> {
  const { repositories, database } = data
  const isMirror = new Subscriptions(database).list().length > 0
  const known = repositories.find(caller.username, REPOSITORY, caller)
  const isTheirs = known === undefined ? isMirror : known.mirrorOf !== undefined
  const name = isTheirs ? `${REPOSITORY}-${peerId.slice(-8).toLowerCase()}` : REPOSITORY
  if (repositories.find(caller.username, name, caller) === undefined) {
    await repositories.create({ name, description: 'Made by guts dev', private: false }, caller)
  }
  return name
}

/**
 * Whoever pastes it may have credential helpers and a proxy of their own, a detached HEAD, or no branch called main.
 * The helper is a command line inside a command line, so a path is quoted once for each.
 */
export function pushCommand(credentialFile: string, address: string): string {
  const helper = shellQuote(`credential.helper=store --file=${shellQuote(credentialFile)}`)
  return `git -c http.proxy= -c credential.helper= -c ${helper} push ${address} HEAD:refs/heads/main`
}

/** As a word of a POSIX shell. */
function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

type CallerWithToken = Caller & { readonly token: string }

/** Whom the credential file belongs to, if its token still holds. */
async function knownCaller(node: RunningNode, credentialFile: string): Promise<CallerWithToken | undefined> {
  const [, token] = /^http:\/\/[^:/@]+:([^:/@]+)@/.exec((await readIfThere(credentialFile)) ?? '') ?? []
  if (token === undefined) return undefined
  const caller = await node.data.tokens.authenticate(token, AbortSignal.any([]))
  return caller === undefined ? undefined : { ...caller, token }
}

async function newCaller({ data: { users, tokens } }: RunningNode): Promise<CallerWithToken> {
  const {
    id: userId,
    username,
    admin,
  } = users.find(USERNAME) ?? (await users.create({ username: USERNAME, admin: true }))
  const { token, id: tokenId } = await tokens.create({ userId, name: TOKEN_NAME })
  return { userId, username, admin, tokenId, token }
}

function reachable({ host, port }: Address): string {
  return formatAddress({ host: reachableHost(host), port })
}

function peerAddress(host: string, { p2pPort, peerId }: RunningNode): string {
  const kind = isIP(host) === 0 ? 'dns' : `ip${isIP(host)}`
  return `/${kind}/${host}/tcp/${p2pPort}/p2p/${peerId}`
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined
    throw error
  }
}
