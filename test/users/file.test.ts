import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Log } from '../../src/log.ts';
import { silentLog } from '../../src/log.ts';
import type { Directory } from '../../src/users/directory.ts';
import { createFileDirectory } from '../../src/users/file.ts';
import { createPasswordChecker } from '../../src/users/password.ts';
import { ownParameters, readParameters } from '../../src/users/password-hash.ts';
import { bob, cheapHash, writeUsers } from '../support/user-files.ts';
import { directoryContract } from './directory.contract.ts';

// The clock stands still: however slow the machine is, no check waits too long.
const passwords = createPasswordChecker({ now: () => 0 });

/** A clock that stands until it is moved, a log that is kept, and a directory that has both. */
async function setUp(path: string, readBytes?: (path: string) => Promise<Uint8Array>) {
  const entries: { level: string; fields: object; message: string }[] = [];
  const keep = (level: string) => (fields: object, message: string) => entries.push({ level, fields, message });
  const log: Log = { info: keep('info'), warn: keep('warn'), error: keep('error') };
  let now = 1_767_225_600_000;
  const directory = await createFileDirectory({
    path,
    clock: () => now,
    log,
    passwords,
    ...(readBytes === undefined ? {} : { readFile: readBytes }),
  });
  return {
    directory,
    entries,
    levels: () => entries.map(({ level }) => level),
    passSeconds: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

async function isIn(directory: Directory, username: string): Promise<boolean> {
  return (await directory.authenticate(username, 'correct horse')) !== null;
}

directoryContract(t, 'the file directory', async (t) => {
  const path = await writeUsers(t.testdir(), [
    await bob({ username: 'Anna', passwordHash: await cheapHash('zebra'), phone: '+15550100102' }),
    await bob({ locale: 'de' }),
  ]);
  return {
    directory: await createFileDirectory({ path, clock: () => 0, log: silentLog, passwords }),
    username: 'Bob',
    password: 'correct horse',
    user: { username: 'Bob', phone: '+15550100101', locale: 'de' },
  };
});

t.test('start is refused with every fault, and with the file named', async (t) => {
  const path = await writeUsers(t.testdir(), [await bob({ phone: '0' }), 7]);
  await t.rejects(setUp(path), { message: /^Users file .*users\.json: \[0\]: phone .*; \[1\]: must be an object/ });
});

t.test('start is refused without a readable file', async (t) => {
  const folder = t.testdir();
  await t.rejects(setUp(join(folder, 'none.json')), {
    message: /^Users file .*none\.json: cannot be read \(ENOENT\)$/,
  });
  await t.rejects(setUp(folder), { message: /cannot be read \(EISDIR\)$/ });
  const path = await writeUsers(folder, []);
  const readBytes = () => Promise.reject(new TypeError('no code'));
  await t.rejects(setUp(path, readBytes), { message: /cannot be read \(TypeError\)$/ });
});

t.test('an empty list lets nobody in', async (t) => {
  const { directory } = await setUp(await writeUsers(t.testdir(), []));
  t.notOk(await isIn(directory, 'bob'));
});

t.test('the file is looked at once per second at the most, and read only when it changed', async (t) => {
  const folder = t.testdir();
  const path = await writeUsers(folder, [await bob()]);
  let reads = 0;
  const { directory, entries, passSeconds } = await setUp(path, (path) => {
    reads += 1;
    return readFile(path);
  });
  passSeconds(5);
  t.ok(await isIn(directory, 'bob'));
  t.equal(reads, 1, 'not changed, not read');

  await writeUsers(folder, [await bob(), await bob({ username: 'Anna' })]);
  passSeconds(0.999);
  t.notOk(await isIn(directory, 'anna'));
  t.equal(reads, 1);
  passSeconds(0.001);
  t.ok(await isIn(directory, 'anna'));
  t.ok(await isIn(directory, 'bob'));
  t.equal(reads, 2);
  t.match(entries, [{ level: 'info', fields: { path, users: 2 }, message: 'Users file is read and in use' }]);
});

t.test('who is taken out of the file is out, even for those who come first after a long time', async (t) => {
  const folder = t.testdir();
  const { directory, passSeconds } = await setUp(await writeUsers(folder, [await bob()]));
  await writeUsers(folder, []);
  passSeconds(7200);
  t.same(await Promise.all(Array.from({ length: 5 }, () => isIn(directory, 'bob'))), Array(5).fill(false));
});

t.test('a file of the same size in the place of the other is seen', async (t) => {
  const folder = t.testdir({ next: {} });
  const path = await writeUsers(folder, [await bob()]);
  const { directory, passSeconds } = await setUp(path);
  await rename(await writeUsers(join(folder, 'next'), [await bob({ username: 'Rob' })]), path);
  passSeconds(1);
  t.ok(await isIn(directory, 'rob'));
});

t.test('a volume of Kubernetes, where a link is switched to a new folder, is followed', async (t) => {
  const folder = t.testdir({ '..v1': {}, '..v2': {} });
  await writeUsers(join(folder, '..v1'), [await bob()]);
  await writeUsers(join(folder, '..v2'), [await bob({ username: 'Anna' })]);
  await symlink('..v1', join(folder, '..data'));
  await symlink(join('..data', 'users.json'), join(folder, 'users.json'));
  const { directory, passSeconds } = await setUp(join(folder, 'users.json'));
  t.ok(await isIn(directory, 'bob'));

  await symlink('..v2', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await rm(join(folder, '..v1'), { recursive: true });
  passSeconds(1);
  t.ok(await isIn(directory, 'anna'));
  t.notOk(await isIn(directory, 'bob'));
});

t.test('a broken file keeps the old users, is told once, and is taken when it is mended', async (t) => {
  const folder = t.testdir();
  const { directory, entries, levels, passSeconds } = await setUp(await writeUsers(folder, [await bob()]));

  await writeUsers(folder, '[{"passwordHash":"hunter2"');
  for (let i = 0; i < 3; i += 1) {
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error']);
  t.match(entries[0], {
    fields: { faults: [/^is not valid JSON/] },
    message: 'Users file is broken, the users read before stay in use',
  });

  const hunter = { username: 'Anna', passwordHash: 'hunter2', phone: '0' };
  await writeUsers(folder, [hunter]);
  for (let i = 0; i < 3; i += 1) {
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error', 'error'], 'another broken version');
  t.match(entries[1], { fields: { faults: [/^\[0\]: phone /, /^\[0\]: passwordHash /] } });
  t.notMatch(JSON.stringify(entries), 'hunter2');

  await writeUsers(folder, [await bob({ username: 'Anna' })]);
  passSeconds(1);
  t.ok(await isIn(directory, 'anna'));
  t.notOk(await isIn(directory, 'bob'));
  t.same(levels(), ['error', 'error', 'info']);
});

t.test('a file that is gone keeps the old users, is told once, and is taken when it is back', async (t) => {
  const folder = t.testdir({ mounted: {} });
  const mounted = join(folder, 'mounted');
  const path = await writeUsers(mounted, [await bob()]);
  const { directory, entries, levels, passSeconds } = await setUp(path);

  await rename(mounted, `${mounted}.away`);
  for (let i = 0; i < 3; i += 1) {
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error']);
  t.match(entries[0], { fields: { path, faults: ['cannot be read (ENOENT)'] } });

  await rename(`${mounted}.away`, mounted);
  for (let i = 0; i < 3; i += 1) {
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error', 'info'], 'the very same file');

  await rm(path);
  passSeconds(1);
  t.ok(await isIn(directory, 'bob'));
  await writeUsers(mounted, [await bob({ username: 'Anna' })]);
  passSeconds(1);
  t.ok(await isIn(directory, 'anna'));
  t.same(levels(), ['error', 'info', 'error', 'info']);
});

t.test('a version that could not be read is tried again, and told once', async (t) => {
  const folder = t.testdir();
  let failing = false;
  const path = await writeUsers(folder, [await bob()]);
  const { directory, levels, passSeconds } = await setUp(path, async (path) => {
    if (failing) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    return readFile(path);
  });
  await writeUsers(folder, [await bob({ username: 'Anna' })]);
  failing = true;
  for (let i = 0; i < 3; i += 1) {
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error']);
  failing = false;
  passSeconds(1);
  t.ok(await isIn(directory, 'anna'));
  t.same(levels(), ['error', 'info']);
});

t.test('a file that went from broken back to a version as before is in use', async (t) => {
  const folder = t.testdir({ good: {}, bad: {} });
  await writeUsers(join(folder, 'good'), [await bob()]);
  await writeUsers(join(folder, 'bad'), 'broken');
  const point = async (to: string) => {
    await symlink(to, join(folder, 'next'));
    await rename(join(folder, 'next'), join(folder, 'current'));
  };
  await point('good');
  const { directory, levels, passSeconds } = await setUp(join(folder, 'current', 'users.json'));
  for (const to of ['bad', 'good', 'bad', 'good', 'good']) {
    await point(to);
    passSeconds(1);
    t.ok(await isIn(directory, 'bob'));
  }
  t.same(levels(), ['error', 'info', 'error', 'info']);
});

t.test('those who come during a reload share it, and are all served', async (t) => {
  const folder = t.testdir();
  const path = await writeUsers(folder, [await bob()]);
  let reads = 0;
  let release = () => {};
  let gate = Promise.resolve();
  const { directory, passSeconds } = await setUp(path, async (path) => {
    reads += 1;
    await gate;
    return readFile(path);
  });
  await writeUsers(folder, [await bob({ username: 'Anna' })]);
  gate = new Promise((resolve) => {
    release = resolve;
  });
  passSeconds(1);
  const before = ['anna', 'bob', 'anna'].map((name) => isIn(directory, name));
  passSeconds(10);
  const after = ['anna', 'bob', 'anna'].map((name) => isIn(directory, name));
  release();
  t.same(await Promise.all([...before, ...after]), [true, false, true, true, false, true]);
  t.equal(reads, 2);
});

t.test('a clock that was set back does not stop the looking', async (t) => {
  const folder = t.testdir();
  const { directory, passSeconds } = await setUp(await writeUsers(folder, [await bob()]));
  await writeUsers(folder, []);
  passSeconds(-3600);
  t.notOk(await isIn(directory, 'bob'));
});

t.test('a file that appears where a folder was is read', async (t) => {
  const folder = t.testdir();
  const path = await writeUsers(folder, [await bob()]);
  const { directory, levels, passSeconds } = await setUp(path);
  await rm(path);
  await mkdir(path);
  passSeconds(1);
  t.ok(await isIn(directory, 'bob'));
  await rm(path, { recursive: true });
  await writeFile(path, JSON.stringify([await bob({ username: 'Anna' })]));
  passSeconds(1);
  t.ok(await isIn(directory, 'anna'));
  t.same(levels(), ['error', 'info']);
});

t.test('an unknown user costs what the most common hash of the file costs', async (t) => {
  const checked: (string | null)[] = [];
  const spy = {
    verify: async (hash: string | null) => {
      checked.push(hash);
      return true;
    },
  };
  const folder = t.testdir();
  const path = await writeUsers(folder, [
    await bob({ username: 'a' }),
    await bob({ username: 'b', passwordHash: await cheapHash('x', 2) }),
    await bob({ username: 'c', passwordHash: await cheapHash('x', 2) }),
  ]);
  let now = 0;
  const warned: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => warned.push(fields) };
  const directory = await createFileDirectory({ path, clock: () => now, log, passwords: spy });
  t.equal(await directory.authenticate('nobody', 'x'), null, 'even if the checker says yes');
  t.same(readParameters(checked[0] ?? ''), { memoryKib: 8, passes: 2, lanes: 1 });
  t.match(warned, [{ path, kinds: [{ passes: 2 }, { passes: 1 }] }], 'and the difference is told');

  await writeUsers(folder, []);
  now = 1000;
  t.equal(await directory.authenticate('nobody', 'x'), null);
  t.equal(checked[1], null, `with nobody to resemble, ${ownParameters.memoryKib} KiB as always`);
  t.equal(warned.length, 1);
});

t.test('too many checks at once are refused, for known and unknown users alike', async (t) => {
  let release = () => {};
  const gate = new Promise<boolean>((resolve) => {
    release = () => resolve(true);
  });
  const path = await writeUsers(t.testdir(), [await bob()]);
  const directory = await createFileDirectory({
    path,
    clock: () => 0,
    log: silentLog,
    passwords: createPasswordChecker({ concurrency: 1, queueLength: 1, verify: () => gate, now: () => 0 }),
  });
  const served = [directory.authenticate('bob', 'x'), directory.authenticate('nobody', 'x')];
  await Promise.resolve();
  for (const name of ['bob', 'nobody']) {
    await t.rejects(directory.authenticate(name, 'x'), { code: 'overloaded', retryAfterSeconds: 1 });
  }
  release();
  t.match(await Promise.all(served), [{ username: 'Bob' }, null]);
});
