#!/usr/bin/env node
import { runCommandLine } from './commands/program.ts'
import { processEnvironment } from './config/environment.ts'

// A reader that had enough (`guts user list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
process.exitCode = await runCommandLine(process.argv.slice(2), processEnvironment(), process)
