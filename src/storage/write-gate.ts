/**
 * Whether the node takes writes now: maintenance and a full disk close the gate. Asked before each change that a client
 * asks for, after it is known that the client may make it.
 */
export interface WriteGate {
  /** @throws RequestError unavailable, with the time after which asking again makes sense */
  assertWritable(): void
}
