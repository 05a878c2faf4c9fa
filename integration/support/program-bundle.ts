/**
 * Set-up of a whole run of vitest (vitest.config.ts): the command line with its packages in a few files, made of
 * `src/` as it is now. Tests start it several hundred times, and of the 2.3 s of processor time that a node needs to
 * start, 1.6 s go into finding and reading its 1,674 modules; as files of `src/` it is started by `npm start`, by the
 * gate, the chaos and the load, and as `dist/` by start.test.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { TestProject } from 'vitest/node'
import { compileCacheOf, PROGRAM, ROOT } from './command-line.ts'
import { NodeProcess } from './node-process.ts'

const ENTRIES = ['main.ts', 'transfer/workers/git.worker.ts', 'storage/database/writer.worker.ts']
/** Three read files of their own; the others are large, loaded where somebody asks for traces, and share one API. */
const PACKAGES_AS_THEY_ARE = ['piscina', 'swagger-ui-dist', 'koffi', '@opentelemetry/*']
/** Packages that are CommonJS require() modules of Node. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
/**
 * Node's own modules by require(). As modules they are asked for each name that they export, at `node:http` also for
 * those for which it loads all of undici: 0.1 s of each start.
 */
const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z:/_0-9]+$/ }, ({ path, namespace, kind }) => {
      if (!isBuiltin(path)) return undefined
      if (kind === 'require-call' || namespace === 'required') return { path, external: true }
      return { path, namespace: 'required' }
    })
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

export default async function bundleProgram(project: TestProject): Promise<() => void> {
  // Below our packages, which are found from there.
  const parent = join(ROOT, 'node_modules/.cache')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'guts-program-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  process.on('exit', remove)
  // Else Node reads each file twice, to find out what it is.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  const bundle = async (): Promise<void> => {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ENTRIES.map((entry) => join('src', entry)),
      outdir: folder,
      // A worker is looked for beside the module that starts it.
      entryNames: '[name]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      keepNames: true,
      external: PACKAGES_AS_THEY_ARE,
      plugins: [requiredBuiltins],
      banner: { js: REQUIRE },
      logLevel: 'warning',
    })
  }
  await bundle()
  project.onTestsRerun(bundle)
  const script = join(folder, 'main.js')
  process.env[PROGRAM] = script
  // Node keeps what it compiled when a process ends in order, and most nodes are killed.
  await using node = await NodeProcess.start({ script, environment: { NODE_COMPILE_CACHE: compileCacheOf(script) } })
  await node.stop()
  return remove
}
