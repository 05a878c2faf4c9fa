import { errorCodeOf, GutsError } from './errors.ts'

/** Why a node could not be started, in words for its operator. */
export class StartError extends GutsError<
  | { readonly code: 'listen_failed'; readonly variable: string; readonly address: string }
  | { readonly code: 'identity_missing' }
  | { readonly code: 'identity_invalid'; readonly path: string }
> {}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'that port is reserved for the system',
  ENOTFOUND: 'that name has no address',
}

export function listenFailed(variable: string, address: string, cause: unknown, systemCode?: string): StartError {
  const code = systemCode ?? errorCodeOf(cause) ?? ''
  const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause))
  return new StartError(
    { code: 'listen_failed', variable, address },
    `Cannot listen on ${address} (${variable}): ${reason}`,
    { cause },
  )
}
