/** HTML in which nothing from outside can be anything but text: what is put into a template is escaped, always. */

/** Text that is HTML already. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | null | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const CONTROLS = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Control characters, and those that turn the direction of what follows, are shown instead of obeyed. */
export const visible = (text: string): string =>
  text.replace(CONTROLS, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);

export const escapeHtml = (text: string): string => visible(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === null || part === false) return '';
  if (typeof part === 'object') return part.map(render).join('');
  return escapeHtml(String(part));
}

/** A piece of a page; attributes that hold a part must be in double quotes. Null and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((all, string, index) => `${all}${render(parts[index - 1] ?? null)}${string}`));
}

/** JSON for a `<script type="application/json">`: nothing in it can end that element. */
export const jsonBlock = (value: unknown): Html =>
  new Html(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
