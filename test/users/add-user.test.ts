import { chmod, chown, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { addUser, newUserFaults } from '../../src/users/add-user.ts';
import { parseUsers } from '../../src/users/user-list.ts';
import { bob, cheapHash, writeUsers } from '../support/user-files.ts';

const zoe = { username: 'Zoë', passwordHash: await cheapHash('zebra'), phone: '+4915550100102', locale: 'de' };

t.test('the first user makes the file, readable by its owner alone', async (t) => {
  const path = join(t.testdir(), 'users.json');
  await addUser({ path, ...zoe });
  t.equal(await readFile(path, 'utf8'), `${JSON.stringify([zoe], null, 2)}\n`);
  t.equal((await stat(path)).mode & 0o777, 0o600);
});

t.test('a user is added after the others, who stay as they are', async (t) => {
  const path = await writeUsers(t.testdir(), [await bob()]);
  const before = parseUsers(await readFile(path, 'utf8'));
  await addUser({ path, ...zoe });
  const { locale, ...withoutLocale } = zoe;
  await addUser({ path, ...withoutLocale, username: 'Ann' });
  t.strictSame(parseUsers(await readFile(path, 'utf8')), [...before, zoe, { ...withoutLocale, username: 'Ann' }]);
  t.equal(locale, 'de');
});

t.test('no other file is left behind', async (t) => {
  const folder = t.testdir();
  const path = await writeUsers(folder, []);
  await addUser({ path, ...zoe });
  await t.rejects(addUser({ path, ...zoe }));
  t.same(await readdir(folder), ['users.json']);
});

t.test('a taken name is refused in every spelling, and the file stays', async (t) => {
  const path = await writeUsers(t.testdir(), [await bob()]);
  const before = await readFile(path, 'utf8');
  for (const username of ['Bob', 'bob', 'ＢＯＢ']) {
    await t.rejects(addUser({ path, ...zoe, username }), {
      message: new RegExp(`^A user "${username}" exists already`),
    });
  }
  t.equal(await readFile(path, 'utf8'), before);
});

t.test('a user with faults is refused with all of them, before anything is written', async (t) => {
  const folder = t.testdir();
  await t.rejects(addUser({ path: join(folder, 'users.json'), ...zoe, phone: '0555', passwordHash: 'zebra' }), {
    name: 'UserListError',
    faults: [/^phone /, /^passwordHash /],
  });
  t.same(await readdir(folder), []);
});

t.test('a broken file is named and left alone', async (t) => {
  const folder = t.testdir();
  const path = await writeUsers(folder, [{ username: 'x' }]);
  await t.rejects(addUser({ path, ...zoe }), {
    message: /users\.json is left as it is: \[0\]: phone .*\[0\]: passwordHash /,
  });
  t.equal(await readFile(path, 'utf8'), '[{"username":"x"}]');
  t.same(await readdir(folder), ['users.json']);
});

t.test('a folder that does not exist, or a file that cannot be read, is told', async (t) => {
  const folder = t.testdir({ directory: {} });
  await t.rejects(addUser({ path: join(folder, 'none', 'users.json'), ...zoe }), { code: 'ENOENT' });
  await t.rejects(addUser({ path: join(folder, 'directory'), ...zoe }), { code: 'EISDIR' });
  t.same(await readdir(folder), ['directory']);
});

t.test('of two who add at once, none is lost without a word', async (t) => {
  const path = await writeUsers(t.testdir(), [await bob()]);
  const outcomes = await Promise.allSettled(
    ['ann', 'ben', 'cem'].map((username) => addUser({ path, ...zoe, username })),
  );
  const added = outcomes.filter(({ status }) => status === 'fulfilled').length;
  t.ok(added >= 1);
  t.equal(parseUsers(await readFile(path, 'utf8')).length, 1 + added);
});

t.test('while another writer is at work, nothing is written', async (t) => {
  const path = await writeUsers(t.testdir(), []);
  await writeFile(`${path}.new`, '');
  await t.rejects(addUser({ path, ...zoe }), { message: /users\.json\.new exists: another user is being added/ });
  t.equal(await readFile(path, 'utf8'), '[]');
  t.equal(await readFile(`${path}.new`, 'utf8'), '', 'their file is theirs');
});

t.test('a file that is there keeps its mode', async (t) => {
  const path = await writeUsers(t.testdir(), []);
  await chmod(path, 0o640);
  await addUser({ path, ...zoe });
  t.equal((await stat(path)).mode & 0o777, 0o640);
});

t.test(
  'a file that is there keeps its owner',
  { skip: process.getuid?.() !== 0 && 'only root gives files away' },
  async (t) => {
    const path = await writeUsers(t.testdir(), []);
    for (const [uid, gid] of [
      [12345, 12346],
      [0, 12346],
    ] as const) {
      await chown(path, uid, gid);
      await addUser({ path, ...zoe, username: `u${uid}` });
      t.match(await stat(path), { uid, gid });
    }
  },
);

t.test('behind a symbolic link the file is changed, and the link stays', async (t) => {
  const folder = t.testdir({ real: {} });
  const real = await writeUsers(join(folder, 'real'), []);
  const link = join(folder, 'users.json');
  await symlink(real, link);
  await addUser({ path: link, ...zoe });
  t.ok((await lstat(link)).isSymbolicLink());
  t.equal(parseUsers(await readFile(real, 'utf8')).length, 1);
});

t.test('what is wrong with a user shows before there is a password', async (t) => {
  t.strictSame(newUserFaults({ username: 'alice', phone: '+15550100101', locale: 'de' }), []);
  const faults = newUserFaults({ username: '', phone: '5550100101', locale: 'not a tag' });
  t.match(faults, [/^username must be/, /^phone must be/, /^locale must be/]);
});
