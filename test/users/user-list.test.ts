import t from 'tap';
import { parseUsers, parseUsersFile, storedUserFaults, UserListError } from '../../src/users/user-list.ts';
import { bob } from '../support/user-files.ts';

function faultsOf(text: string): readonly string[] {
  try {
    parseUsers(text);
  } catch (error) {
    if (error instanceof UserListError) return error.faults;
    throw error;
  }
  return [];
}

t.test('a list of users is read as it is written', async (t) => {
  const users = [await bob(), await bob({ username: 'Zoë', locale: 'de' })];
  t.strictSame(parseUsers(JSON.stringify(users)), users);
  t.strictSame(parseUsers('[]'), []);
});

t.test(
  'a file is UTF-8, with or without a byte-order mark; another encoding is refused and changes no name',
  async (t) => {
    const users = [await bob({ username: 'Zoë' })];
    const text = JSON.stringify(users);
    t.strictSame(parseUsersFile(Buffer.from(text)), users);
    t.strictSame(parseUsersFile(Buffer.from(`\uFEFF${text}\r\n`)), users);
    const encodings: [BufferEncoding, RegExp][] = [
      ['latin1', /^is not valid UTF-8/],
      ['utf16le', /^is UTF-16/],
    ];
    for (const [encoding, message] of encodings) {
      t.throws(() => parseUsersFile(Buffer.from(text, encoding)), { name: 'UserListError', message }, encoding);
    }
  },
);

t.test('what is no list is refused', async (t) => {
  for (const text of ['{}', 'null', '"bob"', '1', 'true']) t.same(faultsOf(text), ['must be a JSON array of users']);
});

t.test('what is no JSON is refused with the line where V8 tells it, and without a word of the text', async (t) => {
  t.same(faultsOf('[\n1 2]'), ['is not valid JSON (line 2)']);
  for (const text of ['', ' ', '[', '[}', 'demo', '[{"passwordHash":"$argon2id$secret" x}]', '[$argon2id$secret]']) {
    const faults = faultsOf(text);
    t.equal(faults.length, 1, JSON.stringify(text));
    t.match(faults[0], /^is not valid JSON( \(line 1\))?$/);
  }
});

t.test('an entry that is no object is refused', async (t) => {
  for (const entry of [null, 'bob', 1, true, [], [{}]]) {
    t.same(storedUserFaults(entry), ['must be an object with username, passwordHash and phone'], JSON.stringify(entry));
  }
});

t.test('a wrong password hash is told, and its value is not', async (t) => {
  for (const passwordHash of [undefined, null, 1, '', 'hunter2', '$2b$12$hunter2', '$argon2id$v=19$m=1,t=1,p=1$a$b']) {
    const faults = storedUserFaults(await bob({ passwordHash }));
    t.equal(faults.length, 1, JSON.stringify(passwordHash));
    t.match(faults[0], /^passwordHash must be an argon2id PHC string/);
    t.notMatch(faults[0], 'hunter2');
  }
});

t.test('an unknown property is told by its name, shortened', async (t) => {
  t.same(storedUserFaults(await bob({ password: 'hunter2' })), ['"password" is no known property']);
  t.same(storedUserFaults(await bob({ ['x'.repeat(99)]: 1 })), [`"${'x'.repeat(24)}" is no known property`]);
  t.same(faultsOf(`[${JSON.stringify(await bob()).replace('{', '{"__proto__":1,')}]`), [
    '[0]: "__proto__" is no known property',
  ]);
});

t.test('two users of one name are told by their places', async (t) => {
  const list = [await bob(), await bob({ username: 'zoe' }), await bob({ username: 'ｂｏｂ' }), await bob()];
  t.same(faultsOf(JSON.stringify(list)), [
    '[2]: username is the same as that of [0] (upper and lower case are one)',
    '[3]: username is the same as that of [0] (upper and lower case are one)',
  ]);
});

t.test('names that objects have by birth are names like others', async (t) => {
  const list = [await bob({ username: '__proto__' }), await bob({ username: 'constructor' })];
  t.equal(parseUsers(JSON.stringify(list)).length, 2);
});

t.test('all faults of all entries are told at once', async (t) => {
  const list = [await bob({ phone: '0555' }), 7, await bob({ username: 'bob', passwordHash: 'x', admin: true })];
  try {
    parseUsers(JSON.stringify(list));
    t.fail('no fault found');
  } catch (error) {
    t.match(error, {
      name: 'UserListError',
      message: /^\[0\]: phone .*; \[1\]: .*; \[2\]: passwordHash .*; \[2\]: "admin" .*; \[2\]: username /,
    });
  }
});
