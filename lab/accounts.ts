/** Users and tokens of the endpoint: who may sign in, with what, and how fast after a failure. */
import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { invalidCredentials } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Mishaps } from './mishaps.ts';

const TOKEN_BYTES = 32;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const VALIDITY_DEFAULT_MS = 30 * DAY_MS;
/** As many days as Xen Orchestra's "half a year". */
const VALIDITY_MAX_MS = 182.625 * DAY_MS;

export interface User {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** `admin` may all; `none` only what `poolAdmin` gives. */
  readonly permission: 'admin' | 'none';
  /** Has the ACL `admin` on the pool, so on all its objects. */
  readonly poolAdmin: boolean;
}

interface Token {
  readonly id: string;
  readonly user: User;
  readonly clientId: string | undefined;
  readonly description: string | undefined;
  expiresAt: number;
}

export interface SignedIn {
  readonly user: User;
  /** Ms since 1970; null: a session by password does not end. */
  readonly expiresAt: number | null;
  /** Null: signed in by password. */
  readonly token: string | null;
}

export interface AccountsOptions {
  readonly mishaps: Mishaps;
  /** After a failure every try of the same user within this time fails, in ms. */
  readonly throttleMs: number;
}

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #users: User[] = [];
  readonly #tokens = new Map<string, Token>();
  readonly #lastFailure = new Map<string, number>();
  #throttledUntil = 0;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  addUser(user: Omit<User, 'id'>): User {
    const added = { ...user, id: randomUUID() };
    this.#users.push(added);
    return added;
  }

  /** A new token of 43 characters, or the client's own one prolonged. @throws Error, TypeError as Xen Orchestra does */
  createToken(
    user: User,
    wish: { expiresIn?: number | string | undefined; clientId?: string; description?: string } = {},
  ): string {
    const { expiresIn, clientId, description } = wish;
    const validityMs = expiresIn === undefined ? VALIDITY_DEFAULT_MS : durationMs(expiresIn);
    if (validityMs < MINUTE_MS || validityMs > VALIDITY_MAX_MS) {
      throw new Error(`invalid expiresIn duration: ${String(expiresIn)}`);
    }
    const expiresAt = Date.now() + validityMs;
    const same = [...this.#tokens.values()].find(
      (token) => clientId !== undefined && token.clientId === clientId && token.user === user,
    );
    if (same) {
      same.expiresAt = expiresAt;
      return same.id;
    }
    const id = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#tokens.set(id, { id, user, clientId, description, expiresAt });
    return id;
  }

  /** The user's tokens that have not expired, in clear, as `user.getAuthenticationTokens` of xo-server shows them. */
  tokensOf(user: User): readonly JsonObject[] {
    const now = Date.now();
    return [...this.#tokens.values()]
      .filter((token) => token.user === user && token.expiresAt > now)
      .map(({ id, description, expiresAt }) => ({
        ...{ id, user_id: user.id, expiration: expiresAt },
        ...(description ? { description } : {}),
      }));
  }

  deleteTokens(user: User, matches: (token: JsonObject) => boolean): void {
    for (const shown of this.tokensOf(user)) if (matches(shown)) this.#tokens.delete(String(shown.id));
  }

  byToken(id: string): SignedIn | null {
    const token = this.#tokens.get(id);
    if (!token || token.expiresAt <= Date.now()) return null;
    return { user: token.user, expiresAt: token.expiresAt, token: id };
  }

  byPassword(name: string, password: string): SignedIn | null {
    const user = this.#users.find((one) => one.email === name);
    const [given, wanted] = [Buffer.from(password), Buffer.from(user?.password ?? '')];
    if (!user || given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
    return { user, expiresAt: null, token: null };
  }

  /** What `session.signIn` does. @throws XoError code 3, or Error where Xen Orchestra says nothing more */
  signIn(credentials: JsonObject): SignedIn {
    const { throttleMs, mishaps } = this.#options;
    const now = Date.now();
    if (mishaps.take('sign-in-throttle') !== undefined) this.#throttledUntil = now + throttleMs;
    const name = text(credentials.email) ?? text(credentials.username);
    const tooFast = name !== undefined && now < (this.#lastFailure.get(name) ?? -Infinity) + throttleMs;
    if (credentials.password === '') throw new Error('empty password');
    if (tooFast || now < this.#throttledUntil) throw new Error('too fast authentication tries');
    const token = text(credentials.token);
    const password = text(credentials.password);
    const signedIn =
      token !== undefined
        ? this.byToken(token)
        : name !== undefined && password !== undefined
          ? this.byPassword(name, password)
          : null;
    if (signedIn) {
      if (name !== undefined) this.#lastFailure.delete(name);
      return signedIn;
    }
    if (name !== undefined) this.#lastFailure.set(name, now);
    throw invalidCredentials();
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A user as a session shows it. */
export function publicUser(user: User): JsonObject {
  return { id: user.id, email: user.email, groups: [], permission: user.permission, preferences: {} };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365.25 * DAY_MS,
};
const UNIT_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|milliseconds?)$/, 'ms'],
  [/^(s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
  [/^(w|weeks?)$/, 'w'],
  [/^(y|yrs?|years?)$/, 'y'],
];

/** Ms of a number (ms) or of something like `1 hour`. @throws TypeError */
function durationMs(value: number | string): number {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(value.trim());
  const unit = match?.[2]?.toLowerCase() || 'ms';
  const short = UNIT_NAMES.find(([name]) => name.test(unit))?.[1];
  const factor = short === undefined ? undefined : UNIT_MS[short];
  if (!match || factor === undefined) throw new TypeError(`not a valid duration: ${value}`);
  return Number(match[1]) * factor;
}
