#!/usr/bin/env node
import { beginWithAllocatorSettings } from './allocator.ts'
import { processEnvironment } from './config/environment.ts'

const args = process.argv.slice(2)
// Whatever runs for long. Before the rest is loaded: it would be loaded twice.
if (args.includes('start') || args.includes('dev')) beginWithAllocatorSettings(processEnvironment())

const { runCommandLine } = await import('./commands/program.ts')

// A reader that had enough (`guts user list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
process.exitCode = await runCommandLine(args, processEnvironment(), process)
