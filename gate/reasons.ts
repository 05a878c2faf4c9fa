/** Whether a check failed for what its defect does, or for anything else. */
import { type Evidence, messagesOf } from './evidence.ts'

/** How code fails that a defect has merely broken: right only where the defect's own pattern says so. */
const ACCIDENT = /ReferenceError|SyntaxError|TypeError|timed out/

export interface Judged {
  readonly outcome: 'caught' | 'blind' | 'wrong reason' | 'missing'
  /** From what was looked for on, or whatever the check said instead. */
  readonly said: string
}

/** Only what failed tests and cases say counts: a title says the same whatever failed, and an output says everything. */
export function judgeProof(evidence: Evidence, says: RegExp): Judged {
  if (evidence.outcome === 'missing') return { outcome: 'missing', said: messagesOf(evidence).join('\n') }
  if (evidence.outcome === 'passed') return { outcome: 'blind', said: '' }
  for (const failure of evidence.failures) {
    const message = withoutStack(failure.message)
    const found = says.exec(message)
    if (found === null) continue
    if (ACCIDENT.test(message) && !ACCIDENT.test(found[0])) continue
    return { outcome: 'caught', said: message }
  }
  return { outcome: 'wrong reason', said: messagesOf(evidence).join('\n') }
}

/** Its lines name files and functions, which hold almost any word. */
function withoutStack(message: string): string {
  return message
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')
}
