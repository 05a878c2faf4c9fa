/** What a run found, as code scanners say it (SARIF 2.1.0, OASIS Standard): a rule for each target, a result for each problem. */
import { TARGET_NAMES, targetOf } from '../targets.ts'

export interface FoundProblem {
  /** What was tried: a target, or `coverage`. */
  readonly name: string
  readonly text: string
  /** Relative to the repository's root: where it shows. */
  readonly file: string
  /** From 1 on. */
  readonly line?: number
}

/** What is no target. */
const OTHER_RULES: Readonly<Record<string, string>> = {
  coverage: 'Branches of decoders that no committed input takes are listed with their reason.',
  canary: 'The fuzzer finds a planted defect before it looks for others.',
  'published defects': 'What was published of other gits ends here as it is listed.',
}

export function sarifOf(problems: readonly FoundProblem[], isComplete: boolean): object {
  const rules = [
    ...TARGET_NAMES.map((name) => rule(name, `Reads ${targetOf(name).reads}.`)),
    ...Object.entries(OTHER_RULES).map(([name, text]) => rule(name, text)),
  ]
  const results = problems.map(({ name, text, file, line }) => ({
    ruleId: name,
    ruleIndex: rules.findIndex(({ id }) => id === name),
    level: 'error',
    message: { text: literal(text) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), uriBaseId: 'ROOT' },
          ...(line !== undefined && { region: { startLine: line } }),
        },
      },
    ],
  }))
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'guts-fuzz', rules } },
        invocations: [{ executionSuccessful: isComplete }],
        // Whoever reads it knows where its checkout is.
        originalUriBaseIds: { ROOT: { description: { text: 'The root of the repository.' } } },
        results,
      },
    ],
  }
}

/**
 * What was thrown holds what is hostile, and is no placeholder and no link: braces are doubled (3.11.5), and of "](", which
 * alone makes a link, something is between (3.11.6; a backslash there would itself be shown, or be escaped by another).
 */
function literal(text: string): string {
  return text.replaceAll(/[{}]/g, (brace) => brace + brace).replaceAll('](', '] (')
}

/** Of one path, in which `?` and `#` are letters. */
function uriOf(file: string): string {
  return encodeURI(file).replaceAll(/[?#]/g, encodeURIComponent)
}

function rule(id: string, text: string) {
  return { id, shortDescription: { text } }
}
