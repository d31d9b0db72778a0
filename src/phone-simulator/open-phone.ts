import { writeFile } from 'node:fs/promises';
import type { Fault } from './faults.ts';
import { startPhone } from './phone.ts';
import type { Provider } from './provider.ts';

export interface OpenPhoneOptions {
  readonly port: number;
  /** Null is no page of its own. */
  readonly pagePort: number | null;
  /** Where the certificate goes; a file that is there is replaced. */
  readonly certificatePath: string;
  /** Providers that misbehave for every number, by name. */
  readonly faults?: ReadonlyMap<Provider, Fault>;
  /** Writes one line for a person to read. */
  readonly write: (line: string) => void;
}

/**
 * Starts the simulator for a person: leaves its certificate in a file, and says how to use it.
 *
 * @throws Error that says which port is taken, or why the certificate cannot be written
 */
export async function openPhone(options: OpenPhoneOptions): Promise<{ close(): Promise<void> }> {
  const { port, pagePort, certificatePath, write } = options;
  const phone = await startPhone({ port, pagePort }).catch((error: NodeJS.ErrnoException & { port?: number }) => {
    if (error.code !== 'EADDRINUSE') throw error;
    const option = error.port === port ? '--port' : '--page-port';
    throw new Error(`Port ${error.port} is taken: choose another with ${option} (EADDRINUSE)`);
  });
  // Only now: the file of a simulator that runs already is not touched by one that cannot start.
  await writeFile(certificatePath, phone.ca, { mode: 0o644 }).catch(async (error: Error) => {
    await phone.close();
    throw new Error(`The certificate cannot be written: ${error.message}`);
  });
  for (const [provider, fault] of options.faults ?? []) phone.fault(provider, fault);
  write(notice(phone.host, phone.pageUrl, certificatePath));
  return phone;
}

function notice(host: string, pageUrl: string | null, certificatePath: string): string {
  return `phone: https://${host} takes messages and calls as SignalWire, Twilio and Plivo do
phone: ${pageUrl ?? `https://${host}`} shows them
Start doorcode beside it, in another terminal, with

  NODE_EXTRA_CA_CERTS=${certificatePath} SIGNALWIRE_SPACE=${host} \\
    SIGNALWIRE_PROJECT=phone SIGNALWIRE_TOKEN=phone SIGNALWIRE_NUMBER=+15550100199 npm start
`;
}
