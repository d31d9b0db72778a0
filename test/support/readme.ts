import { readFileSync } from 'node:fs';

/** The text of README.md. */
export const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** A code block of a language below a heading: the first, unless another is asked for. */
export function block(heading: string, language: string, index = 0): string {
  const section = README.slice(README.indexOf(`## ${heading}\n`));
  const blocks = [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  return blocks[index]?.[1] ?? '';
}
