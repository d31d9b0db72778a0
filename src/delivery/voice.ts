// The dialect that each language is read in, as Twilio and SignalWire name them: twilio.com/docs/voice/twiml/say,
// attribute `language`.
const dialects = new Map([
  ['en', 'en-US'],
  ['es', 'es-ES'],
  ['fr', 'fr-FR'],
  ['de', 'de-DE'],
  ['pt', 'pt-BR'],
  ['zh', 'zh-CN'],
]);

/**
 * The dialect that a call reads a message in.
 *
 * @param locale BCP 47; of a language without words of ours, `en-US`
 */
export function voiceDialect(locale: string): string {
  return dialects.get(locale.toLowerCase().replace(/-.*/, '')) ?? 'en-US';
}

/** The same, as Plivo names it (plivo.com/docs/voice, "Speak text on calls"): Chinese by its own name, the rest alike. */
export function plivoDialect(locale: string): string {
  const dialect = voiceDialect(locale);
  return dialect === 'zh-CN' ? 'cmn-CN' : dialect;
}
