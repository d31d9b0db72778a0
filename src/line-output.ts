import type { Writable } from 'node:stream';

/** One MiB: some thousand log lines, which a reader that was busy for a few seconds can still get. */
const MAX_PENDING = 1_048_576;

/** Writes lines to a stream that may be full, slow, stalled or closed, and neither blocks nor throws. */
export interface LineOutput {
  /** Writes text that ends in a line break, or drops it while too much text is pending. */
  write(text: string): void;
  /** @returns the number of lines that were dropped since the start */
  dropped(): number;
  /** @returns whether the stream has not accepted everything that was written */
  isDelayed(): boolean;
  /**
   * Sets what is called when the stream accepts lines again after some were dropped.
   *
   * @param report gets the number of lines that were dropped since its last call
   */
  onRecovery(report: (dropped: number) => void): void;
  /** Resolves when the stream has accepted everything that was written, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
}

/**
 * The output of the process for its log and notices. A sign-in must not wait for the reader of the log, so a line that
 * cannot be written is dropped and counted: when the disk is full (ENOSPC), the reader is gone (EPIPE), or more than
 * `maxPending` characters wait for a reader that has stalled.
 *
 * A destination of pino that writes synchronously has neither property: it retries EAGAIN for as long as a pipe is full,
 * and the event loop with all requests and signals stands still.
 *
 * @param stream the standard output of Node.js, which writes to files synchronously and to pipes asynchronously, and
 *   which stays usable after an error
 * @param maxPending characters
 */
export function createLineOutput(stream: Writable, maxPending = MAX_PENDING): LineOutput {
  let dropped = 0;
  let unreported = 0;
  /** Whether the last write failed. A part of its line may have been written. */
  let failed = false;
  let report: (dropped: number) => void = () => {};

  function drop(): void {
    dropped += 1;
    unreported += 1;
  }

  function reportRecovery(): void {
    if (unreported === 0 || stream.writableLength > maxPending / 2) return;
    const count = unreported;
    unreported = 0;
    report(count);
  }

  // Without a listener an error of the stream would end the process. Each failed write learns of it by its callback.
  stream.on('error', () => {});

  return {
    write(text) {
      if (stream.writableLength + text.length > maxPending) return drop();
      stream.write(failed ? `\n${text}` : text, (error) => {
        failed = error != null;
        if (failed) drop();
        else reportRecovery();
      });
    },
    dropped: () => dropped,
    isDelayed: () => failed || stream.writableLength > 0,
    onRecovery(listener) {
      report = listener;
    },
    async flush(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
        stream.write('', () => resolve());
      });
      clearTimeout(timer);
    },
  };
}
