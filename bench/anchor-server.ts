/** `git http-backend` in a process of its own, so that it shares no event loop with the clients. */
import { serveHttpBackend } from '../integration/support/http-backend.ts'

const [root = ''] = process.argv.slice(2)
const backend = await serveHttpBackend(root)
process.stdout.write(`${backend.origin}\n`)
