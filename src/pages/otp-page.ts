import type { Channel } from '../delivery/sender.ts';
import type { Texts } from './locales/texts.ts';
import { asksToType, fill, type PageMessage, triesLeft } from './message.ts';

/** What the code page needs to know of an open challenge. */
export interface OtpView {
  readonly user: string;
  /** The masked number. */
  readonly to: string;
  readonly channel: Channel;
  /** Which challenge the page's forms are about. */
  readonly about: string;
  /** Where the person wants to go, for who begins again with another account. */
  readonly next: string;
  /** What is left of the code's life; nothing or less when it is over. */
  readonly expiresInMs: number;
  /** How long no new code can be asked for; nothing or less when one can. */
  readonly resendInMs: number;
  /** Undefined when the limit store could not be asked. */
  readonly attemptsLeft: number | undefined;
}

export interface OtpPageSettings {
  readonly otpDigits: number;
  readonly otpTtlSeconds: number;
  readonly channels: readonly Channel[];
}

/** Everything that the template of the code page shows, in words. */
export function otpPage(view: OtpView, message: PageMessage | undefined, settings: OtpPageSettings, t: Texts): object {
  const { user, to, channel, about, next, expiresInMs, resendInMs, attemptsLeft } = view;
  const isOver = message?.code === 'otp_used' || message?.code === 'account_locked';
  const mayGuess = !isOver && expiresInMs > 0 && attemptsLeft !== 0;
  const words = {
    sms: channel === 'sms' ? t.otp.textAgain : t.otp.textInstead,
    voice: channel === 'voice' ? t.otp.callAgain : t.otp.callInstead,
  };
  return {
    // A number is read whole, on one line.
    sent: fill(channel === 'voice' ? t.otp.sentByVoice : t.otp.sentBySms, { to: to.replaceAll(' ', '\u00a0') }),
    lifetime: fill(t.otp.lifetime, { seconds: settings.otpTtlSeconds }),
    codeLabel: fill(t.otp.code, { digits: settings.otpDigits }),
    digits: settings.otpDigits,
    about,
    signingInAs: fill(t.otp.signingInAs, { user }),
    loginLink: loginLink(next),
    mayGuess,
    // Where there is nothing to type in, there is only the message to go to.
    focusMessage: message !== undefined && !(mayGuess && asksToType(message)),
    // The way that the code came stands first.
    ways: isOver
      ? []
      : settings.channels
          .toSorted((a, b) => Number(b === channel) - Number(a === channel))
          .map((name) => ({ channel: name, label: words[name] })),
    // A countdown is made of a text before the time and one behind it.
    expiresInMs,
    timeLeft: around(t.otp.timeLeft, minutes(expiresInMs)),
    resendInMs: Math.max(0, resendInMs),
    nextCode: around(t.otp.nextCodeIn, minutes(resendInMs)),
    // Said once.
    tries: attemptsLeft === undefined || message?.code === 'otp_invalid' ? '' : triesLeft(attemptsLeft, t),
  };
}

/** The sign-in page with where the person wants to go. */
export function loginLink(next: string): string {
  return next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`;
}

/** A text in two parts, with the time that stands between them. */
function around(template: string, time: string) {
  const [before = '', after = ''] = template.split('{wait}');
  return { before, time, after };
}

/** `0:47`, rounded up, so that it reaches nothing only when nothing is left. */
function minutes(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
