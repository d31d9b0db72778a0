// Proves that a phone number is its user's (Node.js 22.18 or newer, which runs TypeScript as it is):
// DOORCODE_URL=https://login.example.com DOORCODE_KEY=dk_… node verify.ts NUMBER
import { createInterface } from 'node:readline/promises';

const { DOORCODE_URL, DOORCODE_KEY } = process.env;
const [to = ''] = process.argv.slice(2);

type Answer = { id: string; status: string; code: string; title: string };

async function call(path: string, body: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${DOORCODE_KEY}`, 'content-type': 'application/json' };
  const url = `${DOORCODE_URL}/verifications${path}`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw new Error(`${answer.code}: ${answer.title}`);
  return answer;
}

const { id } = await call('', { to });
const terminal = createInterface({ input: process.stdin, output: process.stderr });
const code = await terminal.question(`The code that was sent to ${to}: `);
terminal.close();
console.log((await call('/check', { id, code, to })).status);
