import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Standard input, as far as reading a password needs it. */
export type PasswordInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/**
 * Reads a password: in a terminal it is asked for twice without being shown, else it is the first line of the input.
 *
 * @param once for a password that exists already, where a slip does no harm
 * @throws Error when the two entries differ, or there is no input
 */
export async function readPassword(input: PasswordInput, output: NodeJS.WritableStream, once = false): Promise<string> {
  const terminal = input.isTTY === true;
  // readline echoes what is typed to its output, so it gets one that swallows everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal });
  // Unlike `question`, this keeps what was pasted ahead, and a last line without a newline.
  const entries = lines[Symbol.asyncIterator]();
  const ask = async (prompt: string) => {
    if (terminal) output.write(prompt);
    const entry = await entries.next();
    if (terminal) output.write('\n');
    if (entry.done) throw new Error('No password was given.');
    return entry.value;
  };
  try {
    const password = await ask('Password: ');
    if (terminal && !once && (await ask('The same again: ')) !== password) throw new Error('The two passwords differ.');
    return password;
  } finally {
    lines.close();
  }
}
