/** XML, as far as a report needs it: elements with attributes, text, children. What XML cannot hold is replaced. */
import { scrub } from '../workdir/secrets.ts';

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly Element[];
  /** Comes before the children. */
  readonly text: string;
}

export const element = (
  name: string,
  attributes: Element['attributes'],
  content: readonly Element[] | string = [],
): Element =>
  typeof content === 'string'
    ? { name, attributes, children: [], text: content }
    : { name, attributes, children: content, text: '' };

/** Control characters, halves of pairs and non-characters exist in no XML 1.0 document, not even escaped. */
const NO_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Before anything is escaped: a secret with such a character would not be recognised any more. */
const escaped = (text: string): string =>
  scrub(text)
    .replace(NO_XML, '\uFFFD')
    .replace(/[&<>"]/g, (each) => NAMES[each] ?? '');

/** A reader makes a space of a line break in an attribute, unless it is written as a number. */
const inAttribute = (value: string | number): string =>
  escaped(String(value)).replace(/[\t\n\r]/g, (each) => `&#${each.charCodeAt(0)};`);

/** A carriage return is lost in a text, unless it is written as a number. */
const inText = (text: string): string => escaped(text).replaceAll('\r', '&#13;');

function lines({ name, attributes, children, text }: Element, indent: string): string {
  const shown = Object.entries(attributes).map(([key, value]) => ` ${key}="${inAttribute(value)}"`);
  const open = `${indent}<${name}${shown.join('')}`;
  if (children.length === 0) return text === '' ? `${open}/>\n` : `${open}>${inText(text)}</${name}>\n`;
  const inner = children.map((child) => lines(child, `${indent}  `)).join('');
  return `${open}>${inText(text)}\n${inner}${indent}</${name}>\n`;
}

export const xmlText = (root: Element): string => `<?xml version="1.0" encoding="UTF-8"?>\n${lines(root, '')}`;
