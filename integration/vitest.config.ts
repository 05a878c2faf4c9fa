/** What needs more than npm packages and git: run by `npm run integration`, not by `npm test`. */
import { defineConfig } from 'vitest/config'

const common = { pool: 'forks', testTimeout: 300_000, hookTimeout: 120_000 } as const

export default defineConfig({
  test: {
    // Each has several containers or a browser at work, and there may be two cores.
    maxWorkers: 1,
    projects: [
      { test: { ...common, name: 'containers', include: ['integration/containers/**/*.container.ts'] } },
      { test: { ...common, name: 'browser', include: ['integration/browser/**/*.browser.ts'] } },
    ],
  },
})
