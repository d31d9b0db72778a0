import { outcomeOf } from '../events.ts';
import type { StartSpan } from '../trace.ts';
import type { Directory } from '../users/directory.ts';

/** A directory whose questions are steps of the request's trace. Of the answer it tells only that there was none. */
export function tracedDirectory(directory: Directory, startSpan: StartSpan): Directory {
  return {
    async authenticate(username, password, trace) {
      const span = startSpan('directory', trace);
      try {
        const user = await directory.authenticate(username, password, span.trace);
        span.end();
        return user;
      } catch (error) {
        span.end(outcomeOf(error));
        throw error;
      }
    },
    ...(directory.close === undefined ? {} : { close: () => directory.close?.() ?? Promise.resolve() }),
  };
}
