/**
 * Takes secrets out of the files of a run: those that are known by value, and what looks like one. Texts within JSON
 * are looked at one by one, so that what is escaped there is read as it was said. Pure but for the known secrets.
 */
import { scrub } from '../workdir/secrets.ts';

const MASK = '[secret]';

/** A key that was cut has no end. */
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g;
const AUTHORIZATION = /\b(authorization["']?\s*[:=]\s*["']?(?:basic|bearer)\s+)(?!\[secret\])[^\s"',;]+/gi;
/** `password=…`, `"token": "…"`, `XO_TOKEN=…`; not `token_file = "…"`, which is a place. */
const ASSIGNED =
  /((?:token|password|passwd|passphrase|secret|api[_-]?key)["']?(?:\s*=\s*|:\s*)["']?)(?!\[secret\])[^\s"',;&{}]{6,}/gi;
const NAMES_SECRET = /(?:token|password|passwd|passphrase|secret|api[_-]?key)$/i;
/** Answers of guests come as hex where they are more than plain words. */
const HEX = /\b(?:[0-9a-f]{2}){16,}\b/g;

export interface Masked {
  readonly bytes: Buffer;
  /** How many places were masked. */
  readonly count: number;
}

/** @param name as the workdir calls it, for how it is read. A file without secrets keeps its bytes. */
export function masked(name: string, bytes: Buffer): Masked {
  if (/\.png$/.test(name)) return { bytes, count: 0 };
  const text = bytes.toString('utf8');
  const clean = cleanFile(name, text);
  return clean === text ? { bytes, count: 0 } : { bytes: Buffer.from(clean), count: masks(clean) - masks(text) };
}

const masks = (text: string): number => text.split(MASK).length - 1;

function cleanFile(name: string, text: string): string {
  if (/\.json$/.test(name)) return cleanJson(text, 2) ?? cleanText(text);
  if (/\.ndjson$/.test(name) || name === 'metadata.txt') {
    return text
      .split('\n')
      .map((line) => cleanJson(line, 0) ?? cleanText(line))
      .join('\n');
  }
  return cleanText(text);
}

/** Null: it is no JSON object. */
function cleanJson(text: string, indent: number): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // the half line of a run that was killed is text
  }
  if (typeof value !== 'object' || value === null) return null;
  const before = JSON.stringify(value);
  const after = JSON.stringify(cleanValue(value, ''));
  if (before === after) return text;
  return `${JSON.stringify(JSON.parse(after), null, indent)}${text.endsWith('\n') ? '\n' : ''}`;
}

function cleanValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return NAMES_SECRET.test(key) && value !== '' ? MASK : cleanText(value);
  if (Array.isArray(value)) return value.map((each) => cleanValue(each, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [cleanText(name), cleanValue(each, name)]));
}

/** One text, as it was said. */
export function cleanText(text: string): string {
  const inHex = text.replace(HEX, (digits) => {
    const said = Buffer.from(digits, 'hex').toString('utf8');
    const clean = said.includes('\uFFFD') ? said : shapes(said);
    return clean === said ? digits : Buffer.from(clean).toString('hex');
  });
  return shapes(inHex);
}

const shapes = (text: string): string =>
  scrub(text.replace(PRIVATE_KEY, MASK).replace(AUTHORIZATION, `$1${MASK}`).replace(ASSIGNED, `$1${MASK}`));
