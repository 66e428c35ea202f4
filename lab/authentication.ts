/** Who an HTTP request is from: the cookie `authenticationToken`, or Basic; a console asks for the cookie `token`. */
import type { IncomingMessage } from 'node:http';
import type { SignedIn } from './accounts.ts';
import type { World } from './world.ts';

export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

export type Authentication = { readonly signedIn: SignedIn } | { readonly status: 400 | 401; readonly error: string };

const REFUSED = { status: 401, error: 'invalid credentials' } as const;

/** Either way, never both. */
export function authenticate(world: World, request: IncomingMessage): Authentication {
  const token = cookieOf(request, 'authenticationToken');
  const { authorization } = request.headers;
  if (token !== undefined && authorization !== undefined) {
    return { status: 400, error: 'Having multiple authentication methods is not supported, please choose one' };
  }
  if (token !== undefined) {
    const signedIn = world.accounts.byToken(token);
    return signedIn ? { signedIn } : REFUSED;
  }
  const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return REFUSED;
  const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  const signedIn = world.accounts.byPassword(name, password);
  return signedIn ? { signedIn } : REFUSED;
}
