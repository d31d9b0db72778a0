/** Numbers with a fixed code, to which nothing is sent: for the automated tests of those who use the API. */
export interface TestNumbers {
  /** @returns the number's code, or undefined when it is an ordinary number, as all are when the time is over */
  codeOf(phone: string, nowMs: number): string | undefined;
}

/**
 * @param codes by number, E.164
 * @param untilMs from when on they are ordinary numbers, milliseconds since the Unix epoch: a back door that somebody
 *   forgets closes by itself
 */
export function createTestNumbers(codes: ReadonlyMap<string, string>, untilMs: number): TestNumbers {
  return { codeOf: (phone, nowMs) => (nowMs < untilMs ? codes.get(phone) : undefined) };
}
