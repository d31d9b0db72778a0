import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { flushKept } from './kept.ts';
import { until } from './until.ts';

const ROOT = new URL('../../', import.meta.url);

/**
 * Runs test files in this process, one after another, because most of the time of a small test file is the start of its
 * process and the loading of modules. After each file it prints how long the file took, and checks that the file left no
 * open server behind and restored the environment and the working directory.
 *
 * @param files paths from the root of the repository
 */
export function runTestFiles(files: readonly string[]): void {
  const environment = { ...process.env };
  const folder = process.cwd();

  /** Loads a file. What it registers runs before the next file is loaded. */
  const load = async (index: number): Promise<void> => {
    const file = files[index];
    if (file === undefined) return;
    const startedAt = performance.now();
    try {
      await import(pathToFileURL(fileURLToPath(new URL(file, ROOT))).href);
    } catch (error) {
      // The other files run all the same.
      t.fail(`${file} cannot be loaded`, { found: error });
    }
    void t.test(`${file} leaves nothing behind`, async (t) => {
      await flushKept();
      t.comment(`${file}: ${Math.round(performance.now() - startedAt)} ms`);
      // A server that a test closed ends when its last connection has ended.
      await until('all servers are closed', () => openServers().length === 0).catch(() => {});
      const servers = openServers();
      t.strictSame(
        { environment: { ...process.env }, folder: process.cwd(), servers },
        { environment, folder, servers: [] },
      );
      await load(index + 1);
    });
  };
  void t.test('test files are loaded', async (t) => {
    t.ok(files.length > 0);
    await load(0);
  });
}

const openServers = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap');
