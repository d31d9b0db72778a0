/** How a text travels as one short message. */
export interface SegmentInfo {
  /** `gsm7`: the seven-bit alphabet; `ucs2`: UTF-16, as soon as one character is not in it. */
  readonly encoding: 'gsm7' | 'ucs2';
  /** Septets or UTF-16 code units. */
  readonly units: number;
  /** How many of them one segment holds: 160 or 70. */
  readonly limit: number;
  readonly fits: boolean;
}

// 3GPP TS 23.038 §6.2.1, the default alphabet in the order of its table, without 0x1B (escape).
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

// §6.2.1.1, the extension table: an escape and a septet each.
const extension = new Set('\f^{}\\[~]|€');

/**
 * What a text costs as an SMS (3GPP TS 23.038; 140 octets a segment, TS 23.040 §9.2.3.24). Networks charge by the
 * segment, and a message of several can arrive in pieces or out of order.
 */
export function segmentInfo(text: string): SegmentInfo {
  let septets = 0;
  for (const character of text) {
    if (basic.has(character)) septets += 1;
    else if (extension.has(character)) septets += 2;
    else return { encoding: 'ucs2', units: text.length, limit: 70, fits: text.length <= 70 };
  }
  return { encoding: 'gsm7', units: septets, limit: 160, fits: septets <= 160 };
}
