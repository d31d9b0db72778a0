/** Keeps cookies as a browser does: the newest wins, Max-Age=0 removes. Of names, paths and hosts it takes no notice. */
export class CookieJar {
  readonly #cookies: Map<string, string>;

  constructor(cookies: Iterable<readonly [string, string]> = []) {
    this.#cookies = new Map(cookies);
  }

  /** @param lines the Set-Cookie headers of an answer */
  store(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      if (attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(pair.indexOf('=') + 1));
    }
  }

  /** @returns the cookie whose name ends so, whatever prefix it has */
  find(ending: string): { readonly name: string; readonly value: string } | undefined {
    for (const [name, value] of this.#cookies) if (name.endsWith(ending)) return { name, value };
    return undefined;
  }

  /** As it stands in a Cookie header; empty for no cookies. */
  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The same cookies, in a jar of their own. */
  copy(): CookieJar {
    return new CookieJar(this.#cookies);
  }
}
