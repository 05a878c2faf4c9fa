import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CrashState } from './enumerate.ts'
import type { Recording } from './record.ts'
import { materialise, recover } from './recovery.ts'
import { useAgain } from './use-again.ts'

/** Recovers from crash states of one recording. */
export class Judge {
  readonly #recording: Recording
  readonly #folder: string
  /** By what a recovery came to: what is wrong with going on from there. */
  readonly #continued = new Map<string, Promise<readonly string[]>>()

  constructor(recording: Recording, folder: string) {
    this.#recording = recording
    this.#folder = folder
  }

  get outcomes(): number {
    return this.#continued.size
  }

  async damageOf(state: CrashState): Promise<readonly string[]> {
    const { worlds } = this.#recording
    const root = join(this.#folder, randomUUID())
    const [before, after] = [worlds[state.operation], worlds[state.operation + 1]]
    try {
      materialise(state, root)
      const { world, damage, hash } = await recover(root)
      if (damage.length > 0) return damage
      if (world !== after && (state.acknowledged || world !== before)) {
        return [`the repositories are:\n${world}\ninstead of:\n${after}\n`]
      }
      const key = `${state.operation} ${world} ${hash}`
      const going = this.#continued.get(key) ?? this.#goOn(state, root, world)
      this.#continued.set(key, going)
      return await going
    } catch (error) {
      return [`the start failed: ${error instanceof Error ? error.message : String(error)}`]
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  /** A whole node, on the state as the crash left it. */
  async #goOn(state: CrashState, root: string, world: string): Promise<readonly string[]> {
    rmSync(root, { recursive: true })
    materialise(state, root)
    return useAgain(this.#recording, { operation: state.operation, world }, root)
  }
}
