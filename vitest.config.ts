import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// For vitest's own processes, which inherit it: each test file loads our packages, and its threads our sources, anew.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/node-compile')

const common = {
  pool: 'forks',
  // What hangs ends here; how long a test takes where two cores are busy is no matter of the test.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // A second, which is vitest's default, is a timing assertion where two cores are busy.
  expect: { poll: { timeout: 20_000 } },
  setupFiles: ['integration/support/no-process-left.ts'],
}

export default defineConfig({
  test: {
    // Also where there are two cores: most tests wait for processes of their own. A third one at a time ends the run a
    // tenth earlier, and keeps nodes so busy that they shed what tests ask of them.
    maxWorkers: 2,
    projects: [
      {
        test: { ...common, name: 'unit', include: ['{src,harness,property,fuzz,chaos,load,bench,gate}/**/*.test.ts'] },
      },
      { test: { ...common, name: 'property', include: ['property/**/*.property.ts'] } },
      {
        // Real nodes and real git: some of these tests run for minutes.
        test: {
          ...common,
          name: 'integration',
          include: ['integration/**/*.test.ts'],
          globalSetup: ['integration/support/program-bundle.ts'],
          testTimeout: 300_000,
        },
      },
    ],
  },
})
