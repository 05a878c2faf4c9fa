import { GutsError } from '../errors.ts'

/** What keeps a node from taking part in the network. */
export class P2pError extends GutsError<{
  readonly code: 'listen_failed'
  readonly host: string
  readonly port: number
  /** Of the system, e.g. EADDRINUSE, where that is what it was. */
  readonly systemCode: string | undefined
}> {}
