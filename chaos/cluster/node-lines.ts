import type { LogLine, NodeProcess } from '../../integration/support/node-process.ts'

export interface LoggedLine {
  readonly atMs: number
  readonly fields: LogLine
}

/** In order of time. A process that was killed may have left half a line, which is passed over. */
export function linesOf(processes: readonly Pick<NodeProcess, 'stdout' | 'stderr'>[], beganAtMs: number): LoggedLine[] {
  return processes
    .flatMap(({ stdout, stderr }) => [...completeLines(stdout), ...completeLines(stderr)])
    .map((line) => JSON.parse(line) as LogLine)
    .map((fields) => ({ atMs: Date.parse(String(fields['time'])) - beganAtMs, fields }))
    .sort((a, b) => a.atMs - b.atMs)
}

function completeLines(text: string): string[] {
  return text.split('\n').slice(0, -1)
}
