import { describe, expect, it } from 'vitest'
import { isTracingRequested, tracingSecrets } from './environment.ts'

describe('tracing', () => {
  it.each([
    { name: 'nothing set', environment: {}, expected: false },
    { name: 'an exporter', environment: { OTEL_TRACES_EXPORTER: 'otlp' }, expected: true },
    { name: 'no exporter', environment: { OTEL_TRACES_EXPORTER: 'none' }, expected: false },
    { name: 'an endpoint', environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, expected: true },
    { name: 'an endpoint for traces', environment: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a' }, expected: true },
    {
      name: 'an endpoint with no exporter',
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_EXPORTER: 'none' },
      expected: false,
    },
    {
      name: 'a disabled SDK',
      environment: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'TRUE' },
      expected: false,
    },
    { name: 'an empty endpoint', environment: { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, expected: false },
  ])('with $name: $expected', ({ environment, expected }) => {
    expect(isTracingRequested(environment)).toBe(expected)
  })

  it('has secrets in its headers, as they are written and as they are sent', () => {
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc%20def, x=y=z', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=%' }
    expect(tracingSecrets(headers)).toEqual(['abc%20def', 'abc def', 'y=z', 'y=z', '%'])
  })
})
