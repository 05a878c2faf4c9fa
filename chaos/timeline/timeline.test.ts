import { describe, expect, it } from 'vitest'
import { goodHistory, MAIN, REPOSITORY } from '../checkers/testing.ts'
import type { Finding } from '../checkers/finding.ts'
import { emptyHistory, type History } from '../history.ts'
import type { RunResult } from '../run-scenario.ts'
import { SMOKE } from '../scenarios.ts'
import { pushesBehind } from './behind.ts'
import { escape } from './html.ts'
import { outcomeOf, timelinePage } from './page.ts'

function run(history: History, more: Partial<RunResult> = {}): RunResult {
  const convergence = [{ mirror: 'mirror-1', repository: REPOSITORY, afterMs: 20 } as const]
  return {
    scenario: SMOKE,
    seed: 7,
    schedule: [],
    repositories: [REPOSITORY],
    history,
    findings: [],
    convergence,
    interrupted: false,
    ...more,
  }
}

const finding: Finding = { promise: 'I1', atMs: 42, text: 'refs/heads/<script> went "away" & never came back' }

describe('pushes that a mirror does not list', () => {
  it('grow with each push and fall with each read', () => {
    const { history } = goodHistory()
    expect(pushesBehind(history, [REPOSITORY], 'mirror-2')).toEqual([
      { atMs: 0, value: 0 },
      { atMs: 10, value: 1 },
      { atMs: 30, value: 2 },
      { atMs: 50, value: 3 },
      { atMs: 54, value: 2 },
      { atMs: 70, value: 3 },
      { atMs: 120, value: 0 },
      { atMs: 130, value: 0 },
    ])
  })
})

describe('the page of a run', () => {
  it('tells what it was, how it ended, and how to run it again', () => {
    const page = timelinePage(run(goodHistory().history), 'npm run chaos -- smoke --seed 7')
    for (const text of [SMOKE.why, '>passed<', 'npm run chaos -- smoke --seed 7', '4 pushes acknowledged'])
      expect(page).toContain(text)
    expect(page).toContain('as its home 0.0 s after healing')
    expect(page).not.toContain('class="finding"')
  })

  it('shows faults, circuits, pushes in doubt and findings on the axis and in words', () => {
    const { history } = goodHistory().push({ [MAIN]: ['a3', 'a4'] }, [80, 90], { outcome: 'unknown' })
    history.faults.push({
      action: { kind: 'cut', link: 'home--mirror-1' },
      beganMs: 20,
      endedMs: 60,
      effect: 'silence',
    })
    history.circuits.push({ node: 'mirror-1', peer: 'home', from: 'closed', to: 'open', atMs: 30, why: 'no answer' })
    history.complaints.push({ node: 'home', atMs: 50, message: 'out of ink' })
    const page = timelinePage(run(history, { findings: [finding] }), 'again')
    for (const text of [
      '<tr><td class="time">0.0 s</td><td>home--mirror-1 cut (silence)</td></tr>',
      '<tr><td class="time">0.1 s</td><td>Over: home--mirror-1 cut (silence)</td></tr>',
      'mirror-1: its circuit to home is open: no answer',
      'home logs an error: out of ink',
      'pusher p: a push to ants ends in doubt'.slice(7),
      '<tr class="finding"><td class="time">0.0 s</td><td>I1 is broken: refs/heads/&lt;script&gt; went',
      '<g class="marker finding">',
      '<rect class="fault"',
      '>failed<',
    ])
      expect(page).toContain(text)
  })

  it('is well-formed whatever names are in it', () => {
    const page = timelinePage(run(goodHistory().history, { findings: [finding] }), 'a "b" <c> & d')
    expect(page).not.toContain('<script>')
    expect(page).toContain('a &quot;b&quot; &lt;c&gt; &amp; d')
  })

  it('is there also for a run that was interrupted before anything happened', () => {
    const page = timelinePage(run(emptyHistory(), { interrupted: true, convergence: [] }), 'again')
    expect(page).toContain('>interrupted<')
    expect(page).toContain('not judged')
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })
})

it('escapes what HTML would read as its own, and drops what it cannot show', () => {
  expect(escape(`<a href="x">'&'\u0000\u001b\n`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\n')
})

it.each([
  { interrupted: true, findings: [finding], outcome: 'failed' },
  { interrupted: true, findings: [], outcome: 'interrupted' },
  { interrupted: false, findings: [finding], outcome: 'failed' },
  { interrupted: false, findings: [], outcome: 'passed' },
])('is $outcome', ({ outcome, ...more }) => {
  expect(outcomeOf(run(emptyHistory(), more))).toBe(outcome)
})
