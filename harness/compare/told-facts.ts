/** What the guest told in a stored run, fact by fact, and the way a silence was decided. Pure. */
import type { EvidenceLine } from '../stored/evidence-lines.ts';
import type { StoredRun } from '../stored/stored-run.ts';
import { isVolatile } from './usual.ts';

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
  return withoutPid(told);
}

/** Shepherd's pid stands in many answers, and is another one in each boot. */
function withoutPid(told: Values): Values {
  const pids = new Set([...told].filter(([name]) => /\.pid_file_content/.test(name)).map(([, value]) => value));
  const known = [...pids].filter((pid) => /^[0-9]{2,}$/.test(pid));
  if (known.length === 0) return told;
  const pattern = new RegExp(`\\b(?:${known.join('|')})\\b`, 'g');
  return new Map([...told].map(([name, value]) => [name, isVolatile(name) ? value : value.replace(pattern, '<pid>')]));
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
