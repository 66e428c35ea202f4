/** What was seen of a live machine: lines for people, or one JSON object. Both say that no image was judged. */
import type { PathFinding, Suggestion } from '../live/guest-paths.ts';
import type { Sight } from '../live/look.ts';
import type { FaultRecord, JudgedCheck, Outcome, Probe } from '../model.ts';
import { escapeValue } from '../report/report.ts';

/** The machine as it was reached. */
export interface Reached {
  /** `host:port`. */
  readonly where: string;
  readonly user: string;
  readonly become: string | null;
  readonly banner: string;
  /** `SHA256:…` */
  readonly hostKey: string;
  readonly pinned: boolean;
  readonly jump: { readonly where: string; readonly hostKey: string | null } | null;
}

export interface LiveReport {
  /** Null: nobody was let in. */
  readonly reached: Reached | null;
  readonly sight: Sight;
  /** Was the scenario named by the caller? */
  readonly named: boolean;
  /** What ended it early; null: it came to its end. */
  readonly fault: FaultRecord | null;
  /** Path of the evidence; null: none is kept. */
  readonly evidence: string | null;
  readonly seconds: number;
}

export const NO_VERDICT =
  'This is what the machine shows now, and no verdict on an image: nothing here proves which image it runs.';

const SAID: Readonly<Record<Outcome, string>> = { held: 'ok', failed: 'not ok', unobserved: 'unobserved' };
const LEFT = 12;

/** A value as it may be shown: what a guest says cannot move the cursor. */
const shown = (text: string): string => escapeValue(text.trim());
const row = (left: string, text: string): string => `${left.padEnd(LEFT)}${text}`;

/** Lines for people. */
export function liveLines(report: LiveReport): readonly string[] {
  const { sight, fault } = report;
  const counts = countsOf(sight);
  const lines = [...headOf(report), '', ...sight.probes.flatMap((probe) => probeLines(sight, probe))];
  if (sight.paths.length > 0) lines.push('', ...pathLines(sight));
  const end = fault === null ? '' : `, and then it ended early (${fault.code})`;
  lines.push('', `${counts.held} ok, ${counts.failed} not ok, ${counts.unobserved} unobserved${end}. ${NO_VERDICT}`);
  if (report.evidence !== null) lines.push(`evidence: ${report.evidence}`);
  return lines;
}

function headOf({ reached, sight, named }: LiveReport): readonly string[] {
  const lines: string[] = [];
  if (reached !== null) {
    const { where, user, become, banner, hostKey, pinned, jump } = reached;
    lines.push(row('machine', `${user}@${where}, ${shown(banner)}`));
    lines.push(row('host key', `${hostKey} (${pinned ? 'as pinned' : 'taken as it came; --host-key pins it'})`));
    if (jump !== null) lines.push(row('through', `${jump.where}, host key ${jump.hostKey ?? 'unknown'}`));
    if (sight.uid !== '0' && sight.uid !== '') {
      const advice = become === null ? ' (--ssh-become doas, sudo or su)' : '';
      lines.push(row('not root', `user id ${shown(sight.uid)}: some of it can only be seen by root${advice}`));
    }
  }
  if (sight.mode !== null) {
    lines.push(row('boot mode', `${sight.mode.mode ?? 'neither, or not to be told'}: ${shown(sight.mode.why)}`));
  }
  if (sight.scenario !== null) {
    const { name, bootMode } = sight.scenario;
    const why = named ? 'named' : sight.mode?.mode === bootMode ? 'that of this boot mode' : 'for want of a boot mode';
    lines.push(row('scenario', `${name} (${why})`));
  }
  return lines;
}

function probeLines(sight: Sight, probe: Probe): readonly string[] {
  const look = sight.judged.get(probe);
  if (look === undefined) return [row('not asked', probe.name)];
  return look.checks.flatMap((check) => checkLines(check, probe, sight.paths));
}

function checkLines(check: JudgedCheck, probe: Probe, paths: readonly PathFinding[]): readonly string[] {
  const actual = check.outcome === 'unobserved' ? '' : `, was ${shown(check.actual)}`;
  const lines = [row(SAID[check.outcome], `${check.name}: expected ${shown(check.expected)}${actual}`)];
  if (check.outcome === 'held') return lines;
  if (check.reason !== '') lines.push(row('', `why: ${shown(check.reason)}`));
  const missing = paths.filter(({ name, state }) => state !== 'found' && probe.paths.includes(name));
  if (missing.length > 0) {
    lines.push(row('', `paths not found: ${missing.map(({ key }) => key).join(', ')} (see below)`));
  }
  return lines;
}

function pathLines({ paths, suggestion }: Sight): readonly string[] {
  const wide = Math.max(...paths.map(({ key }) => key.length));
  const lines = ['Where it keeps its things:'];
  for (const { key, state, candidates, found, used } of paths) {
    const tried = candidates.map(
      ({ path, kind }) => `${shown(path)} ${path === found ? '' : `(${kind || 'not seen'})`}`,
    );
    const took = used === null ? '' : `; the probes took ${shown(used)}`;
    const mark = state === 'found' ? 'found' : state === 'missing' ? 'NOT FOUND' : 'unknown';
    lines.push(row(mark, `${key.padEnd(wide)}  ${tried.map((text) => text.trim()).join(', ')}${took}`));
  }
  const wrong = paths.filter(({ state, key }) => state !== 'found' && key !== suggestion?.key);
  if (wrong.length === 0 && suggestion === null) return lines;
  lines.push('', 'What is elsewhere is corrected by an option, or under [paths] of a lab file (--lab FILE):');
  if (suggestion !== null) lines.push(correction(suggestion), `      since ${shown(suggestion.because)}`);
  for (const { key, option } of wrong) lines.push(correction({ key, option, value: '/…' }));
  return lines;
}

const correction = ({ key, option, value }: Pick<Suggestion, 'key' | 'option' | 'value'>): string =>
  `  --${option} ${shown(value)}   or   ${key} = ${JSON.stringify(value)}`;

function countsOf(sight: Sight): Readonly<Record<Outcome, number>> {
  const counts = { held: 0, failed: 0, unobserved: 0 };
  for (const { outcome } of sight.checks()) counts[outcome]++;
  return counts;
}

/** One object, `schema: 1`. */
export function liveJson({ reached, sight, named, fault, evidence, seconds }: LiveReport): string {
  const probes = sight.probes.map((probe) => {
    const look = sight.judged.get(probe);
    const { name, runs } = probe;
    return { name, runs, observation: look?.observation ?? null, checks: look?.checks ?? [] };
  });
  return JSON.stringify(
    {
      ...{ schema: 1, about: NO_VERDICT, machine: reached, uid: sight.uid === '' ? null : sight.uid },
      bootMode: sight.mode,
      scenario: sight.scenario === null ? null : { name: sight.scenario.name, named },
      ...{ counts: countsOf(sight), probes, paths: sight.paths, suggestion: sight.suggestion },
      ...{ fault, evidence, seconds: Math.round(seconds * 1000) / 1000 },
    },
    null,
    2,
  );
}
