import { defineConfig } from 'vitest/config'

/** One runner for everything. Engines are started once for the whole run (test/engines.setup.ts) and every file gets a database of its own. */
export default defineConfig({
  test: {
    include: ['{lib,platform,modules,apps,ui,sdk,test,bench}/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**'],
    globalSetup: ['test/engines.setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
