import { ConfigError } from './environment.ts';

const FAULTS: Readonly<Record<string, readonly [setting: 'HOST' | 'PORT', fault: string]>> = {
  EADDRINUSE: ['PORT', 'is taken'],
  EACCES: ['PORT', 'may not be listened on by this user'],
  EADDRNOTAVAIL: ['HOST', 'is no address of this machine'],
  ENOTFOUND: ['HOST', 'cannot be resolved to an address'],
  EAI_AGAIN: ['HOST', 'cannot be resolved to an address now'],
  EINVAL: ['HOST', 'is no address or host name'],
  EAFNOSUPPORT: ['HOST', 'is of a family of addresses that this machine does not have'],
};

/**
 * Reports why the service cannot listen, by the name of the setting that the operator has to change.
 *
 * @param portName name of the setting that holds the port
 */
export function listenFault(
  error: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
  portName = 'PORT',
): ConfigError {
  const [setting, fault] = FAULTS[error.code ?? ''] ?? [];
  if (setting === undefined) {
    return new ConfigError([`HOST, ${portName}: cannot listen on ${host}, port ${port} (${error.code ?? error.name})`]);
  }
  const named = setting === 'HOST' ? `HOST: ${host}` : `${portName}: ${port}`;
  return new ConfigError([`${named} ${fault} (${error.code})`]);
}
