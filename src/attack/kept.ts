import { NotTried, type Scene } from './attack.ts';
import { isAlive, type OpenLogin } from './logins.ts';

/** A login whose code nobody has typed, and nobody may type before it has expired. */
export async function untouchedLogin(scene: Scene): Promise<OpenLogin> {
  if (scene.untouched === undefined || !isAlive(scene.untouched, scene.clock)) {
    scene.untouched = await scene.logins.open(scene.accounts[0]);
  }
  return scene.untouched;
}

/** @throws NotTried without a signed-in user, because an earlier attack failed */
export function theSignedIn(scene: Scene): NonNullable<Scene['signedIn']> {
  if (scene.signedIn === undefined) throw new NotTried('the sign-in failed');
  return scene.signedIn;
}

/** @throws NotTried when no login is being guessed at */
export function theGuessed(scene: Scene): OpenLogin {
  if (scene.guessed === undefined) throw new NotTried('there is no login to guess at');
  return scene.guessed;
}
