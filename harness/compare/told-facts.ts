/** What the guest told in a stored run, fact by fact, and the way a silence was decided. Pure. */
import type { EvidenceLine } from '../stored/evidence-lines.ts';
import type { StoredRun } from '../stored/stored-run.ts';

export type Values = ReadonlyMap<string, string>;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = ({ data }: EvidenceLine): Fields =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Fields) : {};

const shown = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** `probe.fact` → what was seen last in each boot; `probe` alone → why nothing was seen. */
export function toldFacts({ evidence }: StoredRun): Values {
  const told = new Map<string, string>();
  let boot = 1;
  for (const line of evidence.lines) {
    if (line.kind === 'command' && line.name === 'reboot') boot++;
    if (line.kind !== 'observation') continue;
    const at = boot === 1 ? '' : `@boot${boot}`;
    for (const key of told.keys()) {
      if (key === `${line.name}${at}` || (key.startsWith(`${line.name}.`) && key.endsWith(at))) told.delete(key);
    }
    const { state, reason, facts } = fieldsOf(line);
    if (state !== 'seen') told.set(`${line.name}${at}`, `unseen: ${shown(reason)}`);
    for (const [fact, value] of Object.entries((facts ?? {}) as Fields)) {
      if (fact !== 'probe') told.set(`${line.name}.${fact}${at}`, shown(value));
    }
  }
  return told;
}

/** What was seen on the way to a connection, and each step by which a silence was decided. */
export function waySeen({ evidence }: StoredRun): Values {
  const way = new Map<string, string>();
  for (const line of evidence.lines) {
    const data = fieldsOf(line);
    if (line.kind === 'silence') way.set('silence', shown(data.path));
    if (line.kind !== 'connection') continue;
    way.set(`connection of ${line.name}`, shown(data.state));
    for (const key of ['banner', 'hostKey'] as const) {
      if (data[key] !== undefined) way.set(`${key} of ${line.name}`, shown(data[key]));
    }
  }
  return way;
}
