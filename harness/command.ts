/** The outside of every harness command: help, wrong use, missing tools, interruption. */
import { setImmediate } from 'node:timers/promises'
import { ToolMissingError, WrongUseError } from './errors.ts'
import { EXIT } from './suite.ts'

/**
 * Runs a command and sets the process's exit code.
 *
 * A first SIGINT or SIGTERM aborts the signal: `main` gives back what it holds and writes the report of what it did,
 * and the exit code is 130 whatever it returns. A second one ends the process as it is.
 * @param main gets the arguments after the command's name
 */
export async function runCommand(
  help: string,
  main: (args: readonly string[], signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return
  }
  const controller = new AbortController()
  const interrupt = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    console.error(`\n${signal}: closing down what was begun`)
    controller.abort(new Error(`Interrupted by ${signal}`))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    const exitCode = await main(args, controller.signal)
    process.exitCode = controller.signal.aborted ? EXIT.interrupted : exitCode
  } catch (error) {
    if (controller.signal.aborted) {
      if (error !== controller.signal.reason) console.error(error)
      process.exitCode = EXIT.interrupted
    } else if (error instanceof WrongUseError) {
      console.error(`${error.message}\n\n${help}`)
      process.exitCode = EXIT.wrongUse
    } else if (error instanceof ToolMissingError) {
      console.error(error.message)
      process.exitCode = EXIT.toolMissing
    } else throw error
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/**
 * A terminal sends its signal to all processes of a command, and that a child has ended, such as esbuild, may be told before
 * it: after this, the signal has been.
 */
export async function awaitSignals(): Promise<void> {
  // The first turn of the event loop may have looked for signals before this was called.
  for (let turn = 0; turn < 2; turn++) await setImmediate()
}
