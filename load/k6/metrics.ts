/** What the scripts count themselves, beside what k6 counts. Read by both sides. */
export const CLIENT_METRICS = {
  /** Bytes of request bodies, by method and route. */
  requestBytes: 'client_request_body_bytes',
  /** Bytes of response bodies, likewise. */
  responseBytes: 'client_response_body_bytes',
  /** Pushes that the node acknowledged, by ref. */
  acknowledged: 'client_pushes_acknowledged',
} as const

/** Iterations begun in a second. */
export const RATES = { api: 40, 'ls-refs': 20, clone: 6, push: 5 } as const
