/**
 * What an entry of the image cache says of itself, as tags of its template: another kind of claim than a run's, with
 * no run to go with. The ready mark is written last; who would like to use or to remove an entry says so first.
 */
import { randomBytes } from 'node:crypto';
import { type Claim, OURS, tag } from '../claims.ts';

export interface EntryClaimOptions {
  /** SHA-256 of the virtual disk, and its bytes before the SR rounds them up. */
  readonly digest: string;
  readonly bytes: number;
  /** Id of the template that the entry is made of: its hardware settings are the clones'. */
  readonly base: string;
  readonly runId: string;
  /** XO's clock. */
  readonly xoNowMs: number;
  readonly ttlMs: number;
}

/** What the ready mark says. */
export interface Ready {
  readonly atMs: number;
  /** Uuid of the entry's disk, and its bytes as the SR made it. */
  readonly disk: string;
  readonly diskBytes: number;
  /** The whole disk was read back and was the image. */
  readonly compared: boolean;
}

/** A run that uses an entry at the moment, or is about to remove it. */
export interface Mark {
  readonly tag: string;
  readonly run: string;
  readonly expiresMs: number;
}

export const cacheTag = (digest: string): string => tag('cache', digest);
/** Whose left-over it is as long as it is not ready. */
export const makerTag = (runId: string): string => tag('maker', runId);

const iso = (ms: number): string => new Date(ms).toISOString();

/** Of the template and of its disk alike; each has a guest tag of its own, by which it is found. */
export function entryClaim({ digest, bytes, base, runId, xoNowMs, ttlMs }: EntryClaimOptions): Claim {
  const expires = iso(xoNowMs + ttlMs);
  const guestTag = tag('guest', randomBytes(8).toString('hex'));
  const what = [cacheTag(digest), tag('bytes', String(bytes)), tag('base', base)];
  return { tags: [OURS, ...what, makerTag(runId), guestTag, tag('expires', expires)], guestTag, expires };
}

export const readyTag = ({ atMs, disk, diskBytes, compared }: Ready): string =>
  tag('ready', `${iso(atMs)};${disk};${diskBytes};${compared ? 'compared' : 'unread'}`);

export const usedTag = (xoNowMs: number): string => tag('used', iso(xoNowMs));

/** Changes while its maker lives and gets on. */
export const aliveTag = (beat: number): string => tag('alive', String(beat));

/** `using`, `leaving`: at the moment. `failed`: a run of it failed, and somebody will want to look. */
export type MarkKind = 'using' | 'leaving' | 'failed';

export const markTag = (kind: MarkKind, runId: string, expiresMs: number): string =>
  tag(kind, `${runId};${iso(expiresMs)}`);

export const tagsWith = (tags: readonly string[], key: string): readonly string[] =>
  tags.filter((each) => each.startsWith(`${OURS}:${key}=`));

export const valuesOf = (tags: readonly string[], key: string): readonly string[] =>
  tagsWith(tags, key).map((each) => each.slice(`${OURS}:${key}=`.length));

/** Null: none, or several, which we never write. */
export function onlyValue(tags: readonly string[], key: string): string | null {
  const values = valuesOf(tags, key);
  return values.length === 1 ? (values[0] ?? null) : null;
}

const READY = /^([^;]+);([0-9a-f-]{36});(\d+);(compared|unread)$/;

export function parseReady(text: string | null): Ready | null {
  const [, at = '', disk = '', bytes = '', compared] = READY.exec(text ?? '') ?? [];
  const atMs = Date.parse(at);
  return Number.isNaN(atMs) ? null : { atMs, disk, diskBytes: Number(bytes), compared: compared === 'compared' };
}

/** Damaged ones count for nothing. */
export function marksOf(tags: readonly string[], kind: MarkKind): readonly Mark[] {
  return valuesOf(tags, kind).flatMap((value) => {
    const [run = '', expires = ''] = value.split(';');
    const expiresMs = Date.parse(expires);
    return Number.isNaN(expiresMs) ? [] : [{ tag: tag(kind, value), run, expiresMs }];
  });
}
