import { type Attack, expect, madeUpName, NotTried, type Scene, type Seen } from '../attack.ts';
import { type Answer, inWords } from '../client.ts';
import { median, spread, tellApart } from '../statistics.ts';

/** Wrong passwords for a known name: with one more as a form, fewer than are allowed (5), so that its owner still gets in. */
const KNOWN = 3;
/** Made-up names for each. Each is counted by the address, which has a hundred an hour. */
const UNKNOWN = 3;
const WRONG = 'not the password of anybody';

/** Looks whether the answer to a wrong password tells by its bytes if there is such a user. */
export const enumerationByBytes: Attack = {
  name: 'user enumeration by bytes',
  async run(scene) {
    // First, because a page may not tell that there were too many; what comes after it does.
    const [{ username }] = scene.accounts;
    const name = madeUpName(scene, username.length);
    const pages = { known: await guess(scene, username, 'text/html'), unknown: await guess(scene, name, 'text/html') };
    const { known, unknown } = await wrongPasswords(scene);
    for (const [one, others] of [
      [known, unknown],
      [[pages.known], [pages.unknown]],
    ] as const) {
      const seen = [...new Set([...one, ...others].map(({ seenAs }) => seenAs))];
      expect(
        seen.length === 1,
        `a known and an unknown name differ: ${JSON.stringify(seen.map((text) => text.slice(0, 300)))}`,
      );
    }
    return `a wrong password gets the same bytes for known and unknown names: ${inWords(known[0] as Answer)}, and as a page`;
  },
};

/** The same, by how long it takes. */
export const enumerationByTime: Attack = {
  name: 'user enumeration by time',
  async run(scene) {
    const { known, unknown, baseline } = await wrongPasswords(scene);
    const times = [known, unknown].map((answers) => answers.map(({ ms }) => ms));
    const [one = [], other = []] = times;
    const told =
      `${median(one).toFixed(1)} ms for known names (${one.length}), ` +
      `${median(other).toFixed(1)} ms for unknown ones (${other.length}), ${median(baseline).toFixed(1)} ms for no work`;
    const answer = tellApart(one, other, baseline);
    if (answer === 'unclear') {
      const noise = `requests that make no work differ by ${spread(baseline).toFixed(1)} ms`;
      throw new NotTried(`the network is too restless to tell: ${noise}; ${told}`);
    }
    expect(answer === 'alike', `the time tells them apart: ${told}`);
    return `the time does not tell them apart: ${told}`;
  },
};

/** Asked once for both attacks, by turns, so that whatever slows the machine down slows both kinds. */
async function wrongPasswords(scene: Scene): Promise<NonNullable<Scene['wrongPasswords']>> {
  const { accounts } = scene;
  if (scene.wrongPasswords !== undefined) return scene.wrongPasswords;
  const known: Seen[] = [];
  const unknown: Seen[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < KNOWN; round += 1) {
    for (const { username } of accounts) {
      baseline.push(await nothing(scene));
      unknown.push(await guess(scene, madeUpName(scene)));
      known.push(await guess(scene, username));
      baseline.push(await nothing(scene));
      for (let more = 1; more < UNKNOWN; more += 1) unknown.push(await guess(scene, madeUpName(scene)));
    }
  }
  scene.wrongPasswords = { known, unknown, baseline };
  return scene.wrongPasswords;
}

/** How long it takes to be answered without any work. */
async function nothing({ client }: Scene): Promise<number> {
  const answer = await client.get('/healthz');
  if (answer.status === 0) throw new NotTried(`/healthz: ${inWords(answer)}`);
  return answer.ms;
}

async function guess({ client }: Scene, username: string, accept = 'application/json'): Promise<Seen> {
  const answer = await client.post('/login', { username, password: WRONG }, { headers: { accept } });
  if (answer.code === 'too_many_requests' || answer.status === 429) {
    throw new NotTried('wrong passwords are used up here: try again in a quarter of an hour');
  }
  if (answer.status === 0 || answer.status >= 500) throw new NotTried(`a wrong password: ${inWords(answer)}`);
  return { ...answer, seenAs: seenAs(answer, username) };
}

/** All of an answer but what differs from one to the next anyway: the time, a number of its own, sealed values, the name. */
function seenAs({ status, headers, cookies, text }: Answer, username: string): string {
  const { date: _date, 'x-request-id': _id, 'content-length': _length, ...rest } = headers;
  // How much of base64 is percent-encoded is chance.
  const lines = cookies.map((line) =>
    line.replace(/=[^;]*/, (value) => `=(${value.replaceAll(/%[\da-f]{2}/gi, '.').length})`),
  );
  // Where a form is filled in with it, or a link: elsewhere the same letters may be any word.
  const told = [status, JSON.stringify(rest), ...lines, text].join('\n');
  return told.replaceAll(`"${username}"`, '"(name)"').replaceAll(`=${username}`, '=(name)');
}
