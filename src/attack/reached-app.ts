import type { AppAnswer, AppClient } from './app-client.ts';
import { NotTried, type Scene } from './attack.ts';
import type { CookieJar } from './jar.ts';
import { theSignedIn } from './kept.ts';

/** The operator's own app, and a session that its gateway accepts. */
export interface ReachedApp {
  readonly app: AppClient;
  /** Name and value of the session cookie. */
  readonly session: string;
  readonly answer: AppAnswer;
  /** A random `User-Agent`. An answer that repeats it shows that the request reached the app. */
  readonly agent: string;
  /** Whether the app repeats the headers of requests in what it answers, as test apps like traefik/whoami do. */
  readonly echoes: boolean;
}

/**
 * Sends one request with a session to the app.
 *
 * @throws NotTried without `--app`, without a session, or when the request does not reach the app
 */
export async function reachApp(scene: Scene): Promise<ReachedApp> {
  const { app, random } = scene;
  if (app === undefined) throw new NotTried('name your own app behind the gateway by --app URL');
  const session = sessionPair(theSignedIn(scene).jar);
  const agent = `attack-${Buffer.from(random(8)).toString('hex')}`;
  const answer = await app.ask([
    ['User-Agent', agent],
    ['Accept', '*/*'],
    ['Cookie', session],
  ]);
  if (
    answer.status === 0 ||
    answer.status === 401 ||
    (answer.status >= 300 && answer.status < 400) ||
    answer.status >= 500
  )
    throw new NotTried(
      `with a session ${app.origin} answered ${answer.status === 0 ? answer.text : answer.status}: is it behind this deployment?`,
    );
  return { app, session, answer, agent, echoes: repeated(answer).includes(agent) };
}

/**
 * The same, for attacks that look at what the app received.
 *
 * @throws NotTried also when the app does not repeat the headers of requests
 */
export async function reachEchoingApp(scene: Scene): Promise<ReachedApp> {
  const reached = await reachApp(scene);
  if (!reached.echoes)
    throw new NotTried(`${reached.app.origin} does not repeat its request headers: name an app that does (whoami)`);
  return reached;
}

/** All of an answer that can repeat what the app received. */
export function repeated({ headers, text }: AppAnswer): string {
  return `${JSON.stringify(headers)}\n${text}`;
}

function sessionPair(jar: CookieJar): string {
  const session = jar.find('doorcode-session');
  if (session === undefined) throw new NotTried('signing in set no session cookie');
  return `${session.name}=${session.value}`;
}
