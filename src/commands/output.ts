import { styleText } from 'node:util'
import Table from 'cli-table3'
import { redactKeys } from '../observability/redaction.ts'

export interface Streams {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

const BORDERS = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
const LINES = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid']
const BORDERLESS = Object.fromEntries([...BORDERS, ...LINES].map((part) => [part, '']))

/** What a command says: one JSON value with `--json`, else text for people. Its own failures go to standard error. */
export class Output {
  readonly isJson: boolean
  readonly #streams: Streams

  constructor(streams: Streams, isJson: boolean) {
    this.#streams = streams
    this.isJson = isJson
  }

  /** @param text what people read instead of the value */
  result(value: unknown, text: string): void {
    this.#streams.stdout.write(this.isJson ? `${JSON.stringify(value)}\n` : `${text}\n`)
  }

  /** Text whatever was asked for, for answers that are a document already. */
  document(text: string): void {
    this.#streams.stdout.write(text)
  }

  failure(error: string, message: string, more: object = {}): void {
    const json = JSON.stringify({ error, message, ...more })
    this.#streams.stderr.write(`${redactKeys(this.isJson ? json : `guts: ${message}`)}\n`)
  }
}

/** Rows under a heading, aligned; nothing is cut off. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    // Honours NO_COLOR, and that the output may be no terminal.
    head: head.map((title) => styleText('bold', title, { stream: process.stdout })),
    chars: { ...BORDERLESS, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
