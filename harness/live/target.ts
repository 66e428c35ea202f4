/** Reads `[user@]host[:port]`, as ssh and scp write it. */
import { isIPv6 } from 'node:net';
import { bad } from '../options/given.ts';
import type { Override } from '../options/toml-reader.ts';

export interface Target {
  /** Null: not said. */
  readonly user: string | null;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number | null;
}

const FORM = /^(?:([^@:/\s]+)@)?(?:\[([^[\]\s]+)\]|([A-Za-z0-9_][A-Za-z0-9._-]*))(?::(\d{1,5}))?$/;

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT; a password that somebody wrote into it is not repeated */
export function readTarget({ from, text }: Override): Target {
  const expected = '[user@]host[:port], a literal IPv6 address in brackets';
  // Whatever stands before the last @ may hold a password.
  const shown = text.replace(/^.*[:/].*@/s, '[hidden]@');
  const found = FORM.exec(text);
  if (found === null) throw bad(from, expected, JSON.stringify(shown));
  const [, user = null, bracketed, name = '', digits] = found;
  if (bracketed !== undefined && !isIPv6(bracketed)) throw bad(from, expected, JSON.stringify(shown));
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && !(port >= 1 && port <= 65_535)) throw bad(from, 'a port from 1 to 65535', `"${digits}"`);
  return { user, host: bracketed ?? name, port };
}

/** `host:port`, as it is given to `--ssh`. */
export function written(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
