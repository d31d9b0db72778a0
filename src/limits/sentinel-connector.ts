import { type SentinelConnectionOptions, SentinelConnector } from 'ioredis';
import { redisErrorCode } from './redis-error.ts';

type Connect = SentinelConnector['connect'];
type Emit = Parameters<Connect>[0];

/** A user and password for a sentinel. Without them the client does not authenticate itself. */
export interface SentinelCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Errors after which other credentials may succeed. */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);

/**
 * Makes a connector that finds the primary by sentinels, with the first credentials that a sentinel accepts.
 *
 * Sentinels have a password of their own, or the one of the Redis nodes, or none; ioredis sends them a fixed one, and a
 * sentinel without users refuses a user name.
 *
 * @param candidates in the order in which they are tried
 */
export function createSentinelConnector(candidates: readonly SentinelCredentials[]) {
  return class extends SentinelConnector {
    #index = 0;

    constructor(options: unknown) {
      super(options as SentinelConnectionOptions);
      this.#use(0);
    }

    #use(index: number): void {
      this.#index = index % candidates.length;
      const { username, password } = candidates[this.#index] ?? {};
      Object.assign(this.options, { sentinelUsername: username, sentinelPassword: password });
    }

    /**
     * Lets the next lookup ask every sentinel once, beginning after the one that answered last. After a lookup the iterator
     * stands behind that sentinel, so that ioredis would report all as unreachable once it has come to the end of the list.
     */
    #startRound(): void {
      const isAtEnd = this.sentinelIterator.next().done;
      this.sentinelIterator.reset(!isAtEnd);
    }

    override connect(emit: Emit): ReturnType<Connect> {
      this.#startRound();
      /** Whether the sentinels are asked again with other credentials, which is no error yet. */
      let isRetry = false;
      return super.connect((type, error) => {
        if (type === 'sentinelError') {
          const code = redisErrorCode(/ because (.*)$/s.exec(error.message)?.[1] ?? '');
          if (REFUSALS.has(code)) {
            this.#use(this.#index + 1);
            isRetry = this.#index !== 0;
          }
        }
        if (type === 'error' && isRetry) isRetry = false;
        else emit(type, error);
      });
    }
  };
}
