/** C git's server in a process of its own (hosts.ts): the first argument is its root, the one message its origin. */
import { serveHttpBackend } from './http-backend.ts'

const { origin } = await serveHttpBackend(process.argv[2] ?? '')
process.send?.(origin)
process.on('disconnect', () => process.exit())
