/** For tests: loads from given sources only, with files that go away again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type ConfigProblem } from './error.ts'
import { loadConfig, type LoadOptions } from './load.ts'
import type { Config } from './schema.ts'
import type { Environment } from './sources.ts'

export type TestOptions = Partial<Omit<LoadOptions, 'environment'>>

export function load(environment: Environment = {}, options: TestOptions = {}): Config {
  return loadConfig({ environment, requirePrivateKey: false, ...options }).config
}

/** Every mistake, or none. */
export function problemsOf(environment: Environment, options: TestOptions = {}): readonly ConfigProblem[] {
  try {
    load(environment, options)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.detail.problems
  }
}

export class TestFiles implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'guts-config-'))

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name)
    writeFileSync(path, content)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true })
  }
}
