/**
 * The settings of an operator's VM and disk, taken before a run and compared after it: we overwrite a disk's content
 * and switch the VM on and off, and nothing else may be different.
 */
import type { ObjectStore } from './objects.ts';

type Raw = Readonly<Record<string, unknown>>;

/** What changes because a VM runs or its disk was written; everything else is a setting. Field → why. */
const MAY_CHANGE: Readonly<Record<string, string>> = {
  power_state: 'that is what we do',
  startTime: 'of the last start',
  current_operations: 'of the moment',
  addresses: 'what the guest reports',
  mainIpAddress: 'what the guest reports',
  os_version: 'what the guest reports',
  xenTools: 'what the guest reports',
  pvDriversDetected: 'what the guest reports',
  pvDriversVersion: 'what the guest reports',
  pvDriversUpToDate: 'what the guest reports',
  managementAgentDetected: 'what the guest reports',
  $container: 'the host it runs on',
  attached: 'true while the VM runs',
  device: 'named at the first start',
  usage: 'bytes on the SR, by content',
  chainPhysicalUsage: 'bytes on the SR, by content',
  bios_strings: 'filled in by the XAPI at the first start, and never changed again',
};
/** Marks that XO sets on a disk while it is written, and takes away a moment after its reply. */
const IMPORT_MARK = /^xo:import:/;
/** How and when it was shut down last, which the XAPI of older pools notes among a VM's settings. */
const SHUTDOWN_NOTE = /^last_shutdown_/;

const without = (value: unknown, noise: RegExp): Raw =>
  Object.fromEntries(Object.entries(value as Raw).filter(([key]) => !noise.test(key)));

/** Sets of the XAPI (tags, refs) have no order; a list of anything else has. */
const ordered = (value: unknown): unknown =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? [...value].sort() : value;

export type Settings = ReadonlyMap<string, Raw>;

function settingsOf(raw: Raw, ignoreTag: (tag: unknown) => boolean): Raw {
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(raw)) {
    if (Object.hasOwn(MAY_CHANGE, field)) continue;
    if (field === 'tags' && Array.isArray(value)) kept.tags = ordered(value.filter((tag) => !ignoreTag(tag)));
    else if (field === 'memory') kept.memory = { ...(value as Raw), size: undefined, usage: undefined };
    else if (field === 'other_config') kept.other_config = without(value, IMPORT_MARK);
    else if (field === 'other') kept.other = without(value, SHUTDOWN_NOTE);
    else kept[field] = ordered(value);
  }
  return kept;
}

/**
 * Takes the settings of the VM, the disk, and of the VM's VBDs and VIFs.
 * @param ignoreTag tags that are no setting (our lock)
 */
export function takeSettings(
  objects: ObjectStore,
  ids: { readonly vm: string; readonly vdi: string },
  ignoreTag: (tag: unknown) => boolean,
): Settings {
  const vm = objects.get('VM', ids.vm);
  const all = [ids.vm, ids.vdi, ...(vm?.vbds ?? []), ...(vm?.vifs ?? [])];
  const settings = new Map<string, Raw>();
  for (const id of all) {
    const raw = objects.raw(id);
    if (raw) settings.set(id, settingsOf(raw, ignoreTag));
  }
  return settings;
}

/** `<type> <id> <field>: <before> → <after>` each; empty: nothing is different. */
export function compareSettings(before: Settings, after: Settings): readonly string[] {
  const differences: string[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(id), after.get(id)];
    const what = `${String((was ?? is)?.type)} ${id}`;
    if (was === undefined || is === undefined) {
      differences.push(`${what} ${was === undefined ? 'was not there before' : 'is not there any more'}`);
      continue;
    }
    for (const field of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const [old, now] = [JSON.stringify(was[field]), JSON.stringify(is[field])];
      if (old !== now) differences.push(`${what} ${field}: ${shown(old)} → ${shown(now)}`);
    }
  }
  return differences;
}

const shown = (json: string | undefined): string => (json ?? 'absent').slice(0, 100);
