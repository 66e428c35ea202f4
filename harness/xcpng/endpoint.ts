/** Where Xen Orchestra is: its URL checked, its name resolved, its HTTP side asked once, its clock read. */
import { lookup } from 'node:dns/promises';
import { byDeadline, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { ask } from './rest.ts';
import type { TlsSettings } from './settings.ts';

export interface Endpoint {
  /** `http(s)://host[:port][/path]`, no trailing slash: with one, xo-lib asks for `//api/`, which hangs for ever. */
  readonly base: string;
  readonly tls: TlsSettings;
}

/** An endpoint that has answered. */
export interface ReachedEndpoint extends Endpoint {
  /** XO's clock minus ours, in ms, to the second. */
  readonly clockOffsetMs: number;
}

/** The time of day by XO's clock, in ms since 1970: claims, locks and tokens end by it. */
export const xoNowMs = ({ endpoint }: { readonly endpoint: Pick<ReachedEndpoint, 'clockOffsetMs'> }): number =>
  Date.now() + endpoint.clockOffsetMs;

/** Names that cannot exist, as opposed to a resolver that does not work now. */
const NO_SUCH_NAME: readonly unknown[] = ['ENOTFOUND', 'EAI_NONAME', 'ENODATA'];

/** @throws Fault BAD_URL; the message never quotes credentials. */
export function parseEndpoint(url: string, tls: TlsSettings): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const scheme = parsed === null ? undefined : /^(?:http|ws)(s?):$/.exec(parsed.protocol);
  if (parsed === null || !scheme || parsed.hostname === '') {
    throw new Fault('BAD_URL', `expected http(s)://host[:port] or ws(s)://host[:port], given ${JSON.stringify(url)}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new Fault('BAD_URL', `expected a URL without credentials (host ${parsed.host})`);
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    throw new Fault('BAD_URL', `expected a URL without query or fragment, given ${JSON.stringify(url)}`);
  }
  return { base: `http${scheme[1]}://${parsed.host}${parsed.pathname.replace(/\/+$/, '')}`, tls };
}

async function resolveName(base: string, deadline: Deadline): Promise<void> {
  const host = new URL(base).hostname.replace(/^\[|\]$/g, '');
  try {
    await byDeadline(deadline, 'XO_UNREACHABLE', `resolve the name ${host}`, lookup(host));
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (NO_SUCH_NAME.includes(code)) {
      throw new Fault('BAD_URL', `${base}: there is no host named ${host}`, { cause: error });
    }
    throw new Fault('XO_UNREACHABLE', `${base}: the name ${host} cannot be resolved now (${code})`, { cause: error });
  }
}

/**
 * Finds out by error field, before xo-lib is asked (which keeps only the text of an error), whether
 * anything answers there.
 * @throws Fault BAD_URL, XO_UNREACHABLE, and the interrupt
 */
export async function reachEndpoint(url: string, tls: TlsSettings, deadline: Deadline): Promise<ReachedEndpoint> {
  const endpoint = parseEndpoint(url, tls);
  await resolveName(endpoint.base, deadline);
  const { headers } = await ask(endpoint, { method: 'HEAD', path: '/', deadline });
  const theirs = Date.parse(headers.date ?? '');
  return { ...endpoint, clockOffsetMs: Number.isNaN(theirs) ? 0 : theirs - Date.now() };
}
