import { GutsError } from '../errors.ts'

/** What keeps a node from taking part in the network. */
export class P2pError extends GutsError<{
  readonly code: 'listen_failed'
  readonly host: string
  readonly port: number
}> {}
