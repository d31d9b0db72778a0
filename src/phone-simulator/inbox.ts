import type { Channel, Provider } from './provider.ts';

/** What a phone got. */
export interface PhoneMessage {
  /** Counts up from 1; two copies of one message differ in it. */
  readonly sequence: number;
  readonly provider: Provider;
  readonly channel: Channel;
  /** The provider's own id of the message or call. */
  readonly id: string;
  readonly to: string;
  readonly from: string;
  /** What is shown or said. */
  readonly text: string;
  /** In which a call is spoken, where it says so. */
  readonly language?: string;
  /** When it arrived, milliseconds since the Unix epoch. */
  readonly at: number;
  /** Where the provider is to tell what became of it. */
  readonly statusCallback?: string;
  /** Why a call that was picked up had nothing to say. */
  readonly error?: string;
}

export interface Inbox {
  /** In order of arrival. */
  readonly messages: readonly PhoneMessage[];
  add(message: Omit<PhoneMessage, 'sequence'>): void;
  clear(): void;
  /** Resolves when so many messages are there. */
  arrived(count: number): Promise<void>;
}

/** How many messages are kept; the oldest give way. */
export const MAX_MESSAGES = 500;

/** Where messages and calls end up. */
export function createInbox(): Inbox {
  const messages: PhoneMessage[] = [];
  const waiting = new Set<() => void>();
  let sequence = 0;
  return {
    messages,
    add(message) {
      sequence += 1;
      messages.push({ sequence, ...message });
      if (messages.length > MAX_MESSAGES) messages.shift();
      for (const check of waiting) check();
    },
    clear: () => void messages.splice(0),
    arrived: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (messages.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}
