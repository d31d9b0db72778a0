import type { Trace } from '../trace.ts';

/** A person who may sign in. `username` is the directory's own spelling and becomes the subject (`sub`). */
export interface User {
  readonly username: string;
  /** E.164, e.g. `+15550100100`. */
  readonly phone: string;
  /** BCP 47 language of texts and calls, e.g. `de`. */
  readonly locale?: string;
}

/** Port: who a username and a password belong to. Every adapter passes `test/users/directory.contract.ts`. */
export interface Directory {
  /**
   * @param username as typed; compared after {@link ../username.ts!foldUsername}
   * @param trace of the request, passed on to a directory elsewhere
   * @returns the user, or null for an unknown user and for a wrong password alike, in about the same time
   * @throws DoorcodeError `directory_unavailable` (nothing can be said now) or `overloaded` (too many checks wait)
   */
  authenticate(username: string, password: string, trace?: Trace): Promise<User | null>;
  close?(): Promise<void>;
}
