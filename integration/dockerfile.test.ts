/** What can be said of the Dockerfile without an engine. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate, ValidationSeverity } from 'dockerfile-utils'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { loadConfig } from '../src/config/load.ts'
import { ROOT } from './support/command-line.ts'

const TEXT = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
/** One line an instruction, without comments. */
const INSTRUCTIONS = TEXT.replace(/^\s*#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
const LAST_STAGE = INSTRUCTIONS.slice(INSTRUCTIONS.findLastIndex((line) => line.startsWith('FROM ')))

const argumentsOf = (instruction: string, lines = LAST_STAGE): string[] =>
  lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))

describe('the Dockerfile', () => {
  it('has nothing that its checker complains of', () => {
    const strict = {
      casingInstruction: ValidationSeverity.ERROR,
      directiveCasing: ValidationSeverity.ERROR,
      deprecatedMaintainer: ValidationSeverity.ERROR,
      emptyContinuationLine: ValidationSeverity.ERROR,
      instructionCmdMultiple: ValidationSeverity.ERROR,
      instructionEntrypointMultiple: ValidationSeverity.ERROR,
      instructionHealthcheckMultiple: ValidationSeverity.ERROR,
      instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
      instructionWorkdirRelative: ValidationSeverity.ERROR,
    }
    expect(validate(TEXT, strict)).toEqual([])
    expect(validate(TEXT.replace('WORKDIR /app', 'WORKDIR app'), strict)).toHaveLength(1)
  })

  it('runs as a numbered user that is not root', () => {
    expect(argumentsOf('USER')).toEqual([expect.stringMatching(/^[1-9][0-9]*:[1-9][0-9]*$/)])
  })

  it('exposes the ports that the node listens on by itself, and asks the internal one whether it lives', () => {
    const { config } = loadConfig({ environment: {}, requirePrivateKey: false })
    const { apiAddress, metricsAddress, p2pAddress } = config
    const [exposed = ''] = argumentsOf('EXPOSE')
    expect(exposed.split(' ').map(Number)).toEqual([apiAddress.port, metricsAddress.port, p2pAddress.port])
    expect(argumentsOf('HEALTHCHECK')).toEqual([
      expect.stringContaining(`http://127.0.0.1:${metricsAddress.port}/health/live`),
    ])
  })

  it('starts what the package starts', () => {
    expect(JSON.parse(argumentsOf('ENTRYPOINT')[0] ?? '')).toEqual(['node', manifest.bin.guts])
    expect(JSON.parse(argumentsOf('CMD')[0] ?? '')).toEqual(['start'])
  })

  it('copies what is there, and what its context is told to have', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/(?<=^!).*$/gm) ?? []
    const sources = argumentsOf('COPY', INSTRUCTIONS)
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1))
      .map((source) => source.replace(/^\.\//, ''))
    expect(sources.length).toBeGreaterThan(4)
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([])
    expect([...sources].sort()).toEqual([...allowed].sort())
  })
})
