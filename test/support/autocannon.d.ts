// As much of autocannon as the tests use. @types/autocannon describes version 7.
declare module 'autocannon' {
  interface Options {
    url: string;
    headers?: Record<string, string>;
    connections?: number;
    /** How many requests are sent in all. */
    amount?: number;
    /** How many threads send. */
    workers?: number;
    /** After how many requests a connection is replaced. */
    reconnectRate?: number;
  }
  function autocannon(options: Options): Promise<{ readonly errors: number }>;
  export default autocannon;
}
