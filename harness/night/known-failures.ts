/**
 * Failures that are known, each with somebody's reason and a day on which it ends being one. Pure but for the reading.
 * What is known changes no verdict; it changes what a night calls news.
 */
import { readFileSync } from 'node:fs';
import { FAULTS } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';
import type { Verdict } from '../model.ts';
import { TomlReader } from '../options/toml-reader.ts';
import { failuresOf, type KnownNote, type Remark } from '../report/summary.ts';
import { fits } from './pattern.ts';

/** One entry of the list. */
export interface KnownFailure extends KnownNote {
  readonly name: string;
  /** `phase9`, as it is typed. */
  readonly scenario: string;
  /** Pattern over the plan's names of images. */
  readonly image: string;
}

/** What of a case an entry can be about. */
export interface KnownScope {
  readonly scenario: string;
  readonly image: string;
}

const KEYS = ['scenario', 'image', 'check', 'reason', 'link', 'expires'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$/;
const LAST_DAY = 'the last day on which it counts, as 2026-12-31';
const CHECK = /^[a-z][\w.@:/-]*$/;

/** @param scenarios as they are typed @throws Fault BAD_PLAN with file and line */
export function loadKnownFailures(path: string, scenarios: readonly string[]): readonly KnownFailure[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('BAD_PLAN', `known_failures: expected a list that can be read, given ${path}`, { cause });
  }
  return parseKnownFailures(path, text, scenarios);
}

/** The pure part of `loadKnownFailures`. */
export function parseKnownFailures(path: string, text: string, scenarios: readonly string[]): readonly KnownFailure[] {
  const reader = new TomlReader(path, text, new Map(), 'BAD_PLAN');
  reader.knownOnly('', ['known']);
  return Object.keys(reader.table('known')).map((name) => {
    if (!NAME.test(name)) reader.wrong('known', name, 'a name of letters, digits, dashes and underscores', name);
    const table = `known.${name}`;
    reader.knownOnly(table, KEYS);
    const needed = (key: string, expected: string): string =>
      reader.string(table, key) ?? reader.wrong(table, key, expected, undefined);
    const scenario = reader.choice(table, 'scenario', scenarios);
    return {
      name,
      scenario: scenario ?? reader.wrong(table, 'scenario', scenarios.join(' or '), undefined),
      image: needed('image', 'a pattern of images, * for any'),
      check: checkOf(reader, table),
      reason: needed('reason', 'why it fails, in a sentence'),
      link:
        reader.matching(table, 'link', 'a URL', /^https?:\/\/\S+$/) ?? reader.wrong(table, 'link', 'a URL', undefined),
      expires: reader.day(table, 'expires', LAST_DAY) ?? reader.wrong(table, 'expires', LAST_DAY, undefined),
    };
  });
}

/** A check, or a fault that is the image's: nothing else can be known to be the image's doing. */
function checkOf(reader: TomlReader, table: string): string {
  const expected = 'the name of a check, or a fault that is the image’s (GUEST_PANICKED, GUEST_SILENT)';
  const check = reader.string(table, 'check') ?? reader.wrong(table, 'check', expected, undefined);
  const fault = Object.entries(FAULTS).find(([code]) => code === check)?.[1];
  const fitting = fault ? fault.party === 'image' && check !== 'CHECKS_FAILED' : CHECK.test(check);
  return fitting ? check : reader.wrong(table, 'check', expected, check);
}

const covers = ({ scenario, image }: KnownFailure, of: KnownScope): boolean =>
  scenario === of.scenario && fits(image, of.image);

/** The entries that are about one of these cases at least: where only some of a plan runs, others tell nothing. */
export const aboutAny = (known: readonly KnownFailure[], cases: readonly KnownScope[]): readonly KnownFailure[] =>
  known.filter((entry) => cases.some((of) => covers(entry, of)));

const isExpired = ({ expires }: KnownFailure, today: string): boolean => expires < today;

/** The entries that cover a failure of this case. @param today `2026-11-26` */
export function knownOf(
  known: readonly KnownFailure[],
  of: KnownScope,
  verdict: Verdict,
  today: string,
): readonly KnownNote[] {
  const failures = failuresOf(verdict);
  return known
    .filter((entry) => covers(entry, of) && !isExpired(entry, today) && failures.includes(entry.check))
    .map(({ check, reason, link, expires }) => ({ check, reason, link, expires }));
}

/** One case of the plan; its verdict is null where it did not run. */
export interface JudgedScope extends KnownScope {
  /** As people call it. */
  readonly name: string;
  readonly verdict: Verdict | null;
}

/** What is to be said of the list itself: what has expired, what passes by now, what is about nothing any more. */
export function remarksOn(
  known: readonly KnownFailure[],
  cases: readonly JudgedScope[],
  today: string,
): readonly Remark[] {
  return known.flatMap((entry) => {
    const { name, check, scenario, image, expires, link } = entry;
    const what = `known failure ${name} (${check} of ${scenario} with ${image}, ${link})`;
    if (isExpired(entry, today)) {
      return {
        level: 'failure' as const,
        text: `${what} has expired on ${expires}: renew it with a reason, or remove it`,
      };
    }
    const own = cases.filter((of) => covers(entry, of));
    if (own.length === 0) return { level: 'warning' as const, text: `${what}: no case of the plan is of that kind` };
    return own.flatMap(({ name: ofCase, verdict }) => {
      const text = verdict === null ? null : unexpected(check, verdict);
      return text === null ? [] : { level: 'warning' as const, text: `${what}: ${text} in ${ofCase}` };
    });
  });
}

/** Null: it failed as expected, or the case does not tell. */
function unexpected(check: string, verdict: Verdict): string | null {
  if (verdict.status === 'SKIP' || failuresOf(verdict).includes(check)) return null;
  const seen = verdict.checks.find(({ name }) => name === check);
  if (seen?.outcome === 'held') return 'it passes unexpectedly';
  if (verdict.status !== 'PASS') return null;
  return check in FAULTS ? 'it passes unexpectedly' : 'there is no such check';
}
