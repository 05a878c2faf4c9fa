/** What runs in the worker threads: one function a task, called by its name (pool.ts). */
export { runBrowse as browse } from './browse-task.ts'
export { runBuild as build, runNegotiate as negotiate } from './build-task.ts'
export { runIndex as index } from './index-task.ts'
