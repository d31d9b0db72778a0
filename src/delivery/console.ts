import type { Clock } from '../clock.ts';
import { DeliveryError, type Sender } from './sender.ts';

export interface ConsoleSenderOptions {
  /** Takes one line, without its line break. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
}

/**
 * Sends to whoever watches the terminal: the sender of development, the only one that needs no account. Shows code
 * and number in full, so it has no place in production.
 */
export function createConsoleSender({ write, clock }: ConsoleSenderOptions): Sender {
  return {
    name: 'console',
    channels: ['sms', 'voice'],
    async send({ channel, to, code, expiresAt }, signal) {
      if (signal.aborted) throw new DeliveryError('temporary', 'timeout');
      const secondsLeft = Math.max(0, Math.ceil(expiresAt - clock() / 1000));
      write(`code ${code} for ${to} by ${channel}, ${secondsLeft} s left`);
      return { sender: 'console' };
    },
  };
}
