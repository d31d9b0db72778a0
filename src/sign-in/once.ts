/** Carries out an action for a key, or hands out what the same key's action came to a moment ago. */
export type Once = <T>(key: string | undefined, action: () => Promise<T>) => Promise<T>;

/** Runs a function after a delay in milliseconds. */
export type Later = (run: () => void, ms: number) => void;

/** As long as the second click of a double click, and its way through the network, may take. */
const KEEP_MS = 2000;

/**
 * A browser without a script that is clicked twice breaks off the first request and sends a second one. What the first
 * has done cannot be undone, a message is on its way: so the second is given the first one's answer. It is kept in this
 * process only, for two seconds; another replica carries the second out as any other request.
 */
export function createOnce(later: Later = (run, ms) => setTimeout(run, ms).unref()): Once {
  const results = new Map<string, Promise<unknown>>();
  return <T>(key: string | undefined, action: () => Promise<T>): Promise<T> => {
    if (key === undefined) return action();
    const earlier = results.get(key);
    if (earlier !== undefined) return earlier as Promise<T>;
    const result = action();
    results.set(key, result);
    const drop = () => results.delete(key);
    // What failed may be tried again at once.
    result.then(() => later(drop, KEEP_MS), drop);
    return result;
  };
}
