/** What is worth remembering, up to so many of them: the oldest make room. */
export interface BoundedMap<Key, Value> {
  get(key: Key): Value | undefined;
  /** The key becomes the newest. */
  set(key: Key, value: Value): void;
}

/** @param maxSize how many are kept, at least 1 */
export function createBoundedMap<Key, Value>(maxSize: number): BoundedMap<Key, Value> {
  const map = new Map<Key, Value>();
  return {
    get: (key) => map.get(key),
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      if (map.size <= maxSize) return;
      for (const oldest of map.keys()) {
        map.delete(oldest);
        break;
      }
    },
  };
}
