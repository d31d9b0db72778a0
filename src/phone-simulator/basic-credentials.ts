/** RFC 7617. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Reads an Authorization header of the Basic scheme. @returns null for any other, and when either part is empty */
export function readBasicCredentials(header: string | undefined): Credentials | null {
  const [, base64 = ''] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? '') ?? [];
  const [, user, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(base64, 'base64').toString()) ?? [];
  return user === undefined || password === undefined ? null : { user, password };
}
