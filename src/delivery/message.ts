import type { Log } from '../log.ts';
import type { Message } from './sender.ts';
import { segmentInfo } from './sms-segment.ts';

/**
 * The words of one language. Two placeholders: `{app}`, the application's name, and `{code}`, which each text has
 * exactly once. What `{code}` becomes: `123456` in `sms`; in `voice` the digits one by one, three times over, so the
 * text around it should be one sentence that ends with it.
 */
export interface MessageTexts {
  readonly sms: string;
  readonly voice: string;
}

export interface ComposerOptions {
  /** By BCP 47 tag: `en` (which must be there), `pt-BR`. */
  readonly texts: Readonly<Record<string, MessageTexts>>;
  readonly appName: string;
  /** The host of the sign-in page, without a port: what a phone compares before it fills the code in. */
  readonly host: string;
  /** How long the codes are; the texts are measured with it. */
  readonly digits?: number;
  /** Told of the languages that are left out. */
  readonly log: Log;
}

/** Puts a code into words. */
export type Compose = (outgoing: Omit<Message, 'text'>) => Message;

/**
 * Prepares the messages of all languages.
 *
 * An SMS ends with `@host #123456`, the origin-bound one-time code (https://wicg.github.io/sms-one-time-codes/): iOS
 * and Android offer to fill in the code, and only on a page of that host. It names a host and no port, must be the
 * last line, and has one space inside and nothing after it.
 *
 * The returned function looks a locale up as a whole, then by its language, then takes `en`; the message's `locale`
 * is the one whose words it has, so that a call is read in the language that it is written in. A language whose SMS
 * does not fit one segment with this name and host is left out for SMS, not for calls: a few letters outside the
 * seven-bit alphabet more than halve what fits, and a name that is too long for Chinese is no reason to serve nobody.
 *
 * @throws Error that names every text with wrong placeholders; also when `en` is missing or its SMS does not fit, or
 *   the name or host cannot stand in a message
 */
export function createComposer({ texts, appName, host, digits = 6, log }: ComposerOptions): Compose {
  const byTag = new Map(Object.entries(texts).map(([locale, text]) => [locale.toLowerCase(), { locale, ...text }]));
  const fallback = byTag.get('en');
  const faults = faultsOf(texts, appName, host);
  const tooLong = [...byTag].flatMap(([tag, { locale, sms }]) => {
    const { units, limit, encoding, fits } = segmentInfo(smsText(sms, appName, host, '0'.repeat(digits)));
    return fits ? [] : [{ tag, locale, fact: `takes ${units} of ${limit} characters (${encoding})` }];
  });
  const english = tooLong.find(({ tag }) => tag === 'en');
  if (english) faults.push(`the SMS of "en" ${english.fact} with this name and host`);
  if (!fallback || faults.length > 0) throw new Error(faults.join('; '));

  if (tooLong.length > 0) {
    const locales = tooLong.map(({ locale, fact }) => `${locale} ${fact}`);
    log.warn({ locales }, 'Text messages in these languages would not fit one SMS: English is sent in their place');
  }
  const textable = new Map(byTag);
  for (const { tag } of tooLong) textable.delete(tag);

  return (outgoing) => {
    const { channel, code, locale } = outgoing;
    const tag = locale.toLowerCase();
    const known = channel === 'sms' ? textable : byTag;
    const found = known.get(tag) ?? known.get(tag.replace(/-.*/, '')) ?? fallback;
    const text = channel === 'sms' ? smsText(found.sms, appName, host, code) : voiceText(found.voice, appName, code);
    // A copy of everything, so that a field added to a message, such as its trace, reaches the senders.
    return { ...outgoing, text, locale: found.locale };
  };
}

function smsText(template: string, app: string, host: string, code: string): string {
  return `${fill(template, app, code)}\n@${host} #${code}`;
}

function voiceText(template: string, app: string, code: string): string {
  // Commas make the voice read digits, not "one hundred and twenty-three thousand", and pause between them.
  const spoken = [...code].join(', ');
  return fill(template, app, [spoken, spoken, spoken].join('. '));
}

/** In one pass, so that a name with a placeholder in it stays a name. */
function fill(template: string, app: string, code: string): string {
  return template.replace(/\{(app|code)\}/g, (_, name) => (name === 'app' ? app : code));
}

function faultsOf(texts: ComposerOptions['texts'], app: string, host: string): string[] {
  const faults: string[] = [];
  if (!Object.keys(texts).some((locale) => locale.toLowerCase() === 'en')) faults.push('there are no texts for "en"');
  if (!/^\P{C}+$/u.test(app)) faults.push('the app name must be one line of visible characters');
  if (!/^[^\s/@#%]+$/.test(host) || /:\d*$/.test(host)) faults.push('the host must be a host name without a port');
  for (const [locale, { sms, voice }] of Object.entries(texts)) {
    for (const [name, template] of Object.entries({ sms, voice })) {
      const placeholders = template.match(/\{[^}]*\}/g) ?? [];
      const codes = placeholders.filter((placeholder) => placeholder === '{code}');
      const others = placeholders.filter((placeholder) => placeholder !== '{code}' && placeholder !== '{app}');
      if (codes.length !== 1) faults.push(`${name} text of "${locale}" must have {code} exactly once`);
      if (others.length > 0) faults.push(`${name} text of "${locale}" has an unknown placeholder ${others.join(', ')}`);
    }
  }
  return faults;
}
