import type { Environment } from './sources.ts'

/** The one place that reads the environment of the process. */
export function processEnvironment(): Environment {
  return process.env
}

/** Whether the standard variables of OpenTelemetry ask for traces; none of them set means no. */
export function isTracingRequested(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false
  const exporter = environment['OTEL_TRACES_EXPORTER']
  if (exporter !== undefined && exporter !== '') return exporter !== 'none'
  const endpoints = [environment['OTEL_EXPORTER_OTLP_ENDPOINT'], environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']]
  return endpoints.some((endpoint) => endpoint !== undefined && endpoint !== '')
}

/** What `OTEL_*` variables hold that may not be seen: headers carry the credentials of the collector. */
export function tracingSecrets(environment: Environment): string[] {
  const headers = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS']
  return headers.flatMap((name) =>
    (environment[name] ?? '').split(',').flatMap((pair) => {
      const [, value = ''] = /^[^=]+=(.+)$/.exec(pair.trim()) ?? []
      return value === '' ? [] : [value, ...decoded(value)]
    }),
  )
}

/** Values are percent-encoded in the variable and sent decoded. */
function decoded(value: string): string[] {
  try {
    return [decodeURIComponent(value)]
  } catch {
    return []
  }
}
