// As much of autocannon as the tests use. @types/autocannon describes version 7.
declare module 'autocannon' {
  interface Options {
    url: string;
    headers?: Record<string, string>;
    connections?: number;
    /** How many requests are sent in all. */
    amount?: number;
    /** How many requests a connection sends before the first is answered. */
    pipelining?: number;
    /** How long a response may take, in seconds. */
    timeout?: number;
  }
  function autocannon(options: Options): Promise<{ readonly errors: number }>;
  export default autocannon;
}
