const FAULTS: Readonly<Record<string, readonly [setting: 'HOST' | 'PORT', fault: string]>> = {
  EADDRINUSE: ['PORT', 'is taken'],
  EACCES: ['PORT', 'may not be listened on by this user'],
  EADDRNOTAVAIL: ['HOST', 'is no address of this machine'],
  ENOTFOUND: ['HOST', 'cannot be resolved to an address'],
  EAI_AGAIN: ['HOST', 'cannot be resolved to an address now'],
  EAFNOSUPPORT: ['HOST', 'is of a family of addresses that this machine does not have'],
};

/**
 * Why listening failed, told by the name of the setting that a person would change.
 *
 * @param portName of the setting that names the port
 * @returns the error itself where neither setting is known to be the reason
 */
export function listenFault(
  error: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
  portName = 'PORT',
): Error {
  const [setting, fault] = FAULTS[error.code ?? ''] ?? [];
  if (setting === undefined) return error;
  const named = setting === 'HOST' ? `HOST: ${host}` : `${portName}: ${port}`;
  return new Error(`${named} ${fault} (${error.code})`, { cause: error });
}
