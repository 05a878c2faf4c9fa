import { describe, expect, it } from 'vitest'
import { LibFuzzerLines } from './libfuzzer-lines.ts'

const taken = (text: string): LibFuzzerLines => {
  const lines = new LibFuzzerLines()
  for (const line of text.split('\n')) lines.take(line)
  return lines
}

describe('what libFuzzer prints', () => {
  it('is read as far as it is needed', () => {
    const { status, seeded, finding } = taken(`INFO: Seed: 7
#2	INITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 184Mb
#87	NEW    cov: 18 ft: 24 corp: 2/5b lim: 4 exec/s: 0 rss: 184Mb L: 4/4 MS: 5 ShuffleBytes-
#42012	REDUCE cov: 40 ft: 292 corp: 77/2299b lim: 240 exec/s: 42012 rss: 221Mb L: 53/213 MS: 1 EraseBytes-
==6854== Uncaught Exception: Error: found
    at fuzz (pkt-line.ts:10:119)
MS: 1 PersAutoDict- DE: "magic"-; base unit: ec66c574cf6c37c732bf909f996c1119abd4749a
0x30,0x30,
stat::number_of_executed_units: 42163`)
    expect(seeded).toEqual({ executions: 2, coverage: 5, features: 6, corpusInputs: 1 })
    expect(status).toEqual({ executions: 42_163, coverage: 40, features: 292, corpusInputs: 77 })
    expect(finding).toEqual(['Error: found', '    at fuzz (pkt-line.ts:10:119)'])
  })

  it('says nothing of coverage where nothing is instrumented', () => {
    const { seeded } = taken('#2	INITED exec/s: 0 rss: 178Mb\nWARNING: no interesting inputs were found so far.')
    expect(seeded).toEqual({ executions: 2, coverage: 0, features: 0, corpusInputs: 0 })
  })

  it('names what ended it besides exceptions', () => {
    const { finding } = taken(`==77== ERROR: libFuzzer: out-of-memory (used: 1032Mb; limit: 1024Mb)
   To change the out-of-memory limit use -rss_limit_mb=<N>

SUMMARY: libFuzzer: out-of-memory`)
    expect(finding[0]).toBe('ERROR: libFuzzer: out-of-memory (used: 1032Mb; limit: 1024Mb)')
    expect(finding).not.toContain('SUMMARY: libFuzzer: out-of-memory')
  })
})
