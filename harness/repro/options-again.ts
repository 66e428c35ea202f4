/** The options of a stored run as they are given again: its own, what was asked for now over them. Pure. */
import { isAbsolute, join } from 'node:path';
import type { GuestPaths, Scenario } from '../model.ts';
import type { SshTable } from '../options/lab-tables.ts';
import { OPTIONS, type Option } from '../options/options.ts';
import { PATH_TABLE } from '../options/path-table.ts';
import type { StoredReport } from '../stored/stored-report.ts';

/** By name of the option. */
type Named = ReadonlyMap<string, string>;

/** Of the one call that was made then, not of the case. */
const NOT_REPEATED = ['workdir-root', 'label', 'keep', 'keep-hours', 'stop-at', 'reports-dir', 'night', 'image'];
/** What describes the lab of then, and means nothing in another one. */
const OF_THE_LAB: readonly Option['group'][] = ['lab', 'placement', 'cache', 'fixed', 'addresses'];
const OF_THE_LAB_TOO = ['ssh-port', 'budget-scale', 'control', 'read-back'];

export interface Again {
  readonly report: StoredReport;
  readonly scenario: Scenario;
  /** Flags of this call. */
  readonly flags: Named;
  /** `[ssh]` of the lab file of then; null: it cannot be read here, or there was none. */
  readonly ssh: SshTable | null;
  /** Absolute path of the image; null: as the lab has one of its own, or nobody planned one. */
  readonly image: string | null;
}

/** Does this call name another lab than that of then? */
export function otherLab({ report, flags }: Pick<Again, 'report' | 'flags'>): boolean {
  const lab = flags.get('lab');
  if (lab === undefined) return flags.has('xo-url');
  const wasEmbedded = report.lab.kind === 'embedded' && !report.asked?.labFile;
  return !(lab === 'embedded' && wasEmbedded);
}

/** `--name=value` each, for the phase. */
export function argumentsAgain(again: Again): readonly string[] {
  const elsewhere = otherLab(again);
  const all = new Map([...(elsewhere ? movedOptions(again) : sameOptions(again)), ...again.flags]);
  if (!all.has('reports-dir')) all.set('reports-dir', 'none');
  return [...all].map(([name, text]) => `--${name}=${text}`);
}

/** What was given then, with files where they lay then. */
function givenThen({ report: { asked }, image }: Again): Map<string, string> {
  const named = new Map<string, string>();
  for (const [name, text] of Object.entries(asked?.options ?? {})) {
    const option = OPTIONS.find((each) => each.name === name && !each.secret);
    if (option === undefined || option.group === 'outputs' || NOT_REPEATED.includes(name)) continue;
    named.set(name, asFile(option, text, asked?.folder ?? '/'));
  }
  if (asked?.labFile) named.set('lab', asked.labFile);
  if (image !== null) named.set('image', image);
  return named;
}

function asFile({ name, form }: Option, text: string, folder: string): string {
  const words = ['embedded', 'none', 'env'];
  const isFile = name !== 'lab' && (form?.includes('FILE') ?? false);
  return !isFile || isAbsolute(text) || text.startsWith('~/') || words.includes(text) ? text : join(folder, text);
}

function sameOptions(again: Again): Map<string, string> {
  const { report } = again;
  const named = givenThen(again);
  if (!named.has('lab') && report.lab.kind === 'embedded') named.set('lab', 'embedded');
  named.set('boots', String(report.boots));
  if (report.lab.kind === 'xo') named.set('budget-scale', String(report.budgetScale));
  if (report.expectedClosure !== null) named.set('expect-closure', report.expectedClosure);
  return named;
}

/** To another lab goes what belongs to image and guest: how one gets in, its places, its firmware and size. */
function movedOptions(again: Again): Map<string, string> {
  const { report, ssh, scenario } = again;
  const named = givenThen(again);
  for (const { name, group } of OPTIONS) {
    if (OF_THE_LAB.includes(group) || OF_THE_LAB_TOO.includes(name) || name.startsWith('ssh-jump')) named.delete(name);
  }
  const set = (name: string, value: string | number | null | undefined): void => {
    if (value !== null && value !== undefined && !named.has(name)) named.set(name, String(value));
  };
  set('ssh-key', ssh?.key);
  set('ssh-passphrase-file', ssh?.passphraseFile);
  set('ssh-agent', ssh?.agent);
  set('ssh-become', ssh?.become);
  if (ssh !== null && ssh.user !== 'root') set('ssh-user', ssh.user);
  const placed = report.result?.placed;
  set('firmware', placed?.firmware);
  set('memory-mib', placed?.memoryMiB);
  set('cpus', placed?.cpus);
  set('nic', placed?.nic);
  set('boots', report.boots);
  set('expect-closure', report.expectedClosure);
  for (const [option, text] of otherPaths(report.asked?.facts?.paths ?? {}, scenario.paths)) set(option, text);
  return named;
}

function otherPaths(then: Partial<GuestPaths>, now: GuestPaths): readonly (readonly [string, string])[] {
  return PATH_TABLE.flatMap(({ name, option }) => {
    const [was, is] = [then[name], now[name]].map((each) => [each ?? []].flat().join(':'));
    return was === undefined || was === '' || was === is ? [] : [[option, was] as const];
  });
}
