/** Where guests will be: the pool and its hosts, the placement of new ones or the operator's VM, slots, left-overs. */
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { broken, type Look, look, ok, warning } from '../../finding.ts';
import type { PlannedImage } from '../../model.ts';
import { xoNowMs } from '../endpoint.ts';
import { checkFixedPlace } from '../fixed-place.ts';
import { parseLock } from '../lock-tag.ts';
import { type Placement, resolvePlacement } from '../placement.ts';
import type { Session } from '../session.ts';
import type { FixedSettings, Slot, XoLabSettings } from '../settings.ts';
import { chooseSweep } from '../sweep-choice.ts';
import { objectMap } from '../wire.ts';
import type { Pool } from '../wire-pool.ts';

/** Where guests go, as far as the settings name it rightly. */
export interface Place {
  readonly pool: Pool | null;
  /** Null: a fixed VM, or the placement is broken. */
  readonly placement: Placement | null;
}

/** Resolves what it can; why it cannot is told by the findings. */
export function placeOf({ objects }: Session, settings: XoLabSettings): Place {
  try {
    if (settings.fixed === null) {
      const placement = resolvePlacement(objects, settings);
      return { placement, pool: placement.pool };
    }
    const { poolId } = checkFixedPlace(objects, settings.fixed, null);
    return { placement: null, pool: objects.get('pool', poolId) ?? null };
  } catch {
    return { placement: null, pool: null };
  }
}

function hosts({ objects }: Session, pool: Pool | null): Look {
  const all = objects.all('host').filter((host) => pool === null || host.pool === pool.id);
  const enabled = all.filter((host) => host.enabled);
  const seen = `${pool?.name ?? 'every pool'}: ${enabled.length} of ${all.length} host(s) enabled`;
  if (enabled.length === 0) return broken(seen, 'Enable a host, or look whether Xen Orchestra has lost its pool.');
  return enabled.length === all.length ? ok(seen) : warning(seen, 'Hosts in maintenance take no guests.');
}

function placement(session: Session, settings: XoLabSettings): Look {
  const { objects } = session;
  const { pool, templateId, srId, networkId } = resolvePlacement(objects, settings);
  const name = (type: 'VM-template' | 'SR' | 'network', id: string): string => `"${objects.get(type, id)?.name ?? id}"`;
  const { firmware, memoryMiB, cpus } = settings.shape;
  const goes = `template ${name('VM-template', templateId)}, SR ${name('SR', srId)}`;
  return ok(
    `pool "${pool.name}": ${goes}, network ${name('network', networkId)}; ${firmware}, ${memoryMiB} MiB, ${cpus} CPU`,
  );
}

function network({ objects }: Session, { networkId }: Placement): Look {
  const wires = objects.all('PIF').filter((pif) => pif.network === networkId);
  const name = objects.get('network', networkId)?.name ?? networkId;
  if (wires.length > 0) return ok(`"${name}", ${wires.length} physical interface(s)`);
  const seen = `"${name}" has no physical interface: guests there reach nobody outside of their host`;
  return warning(seen, 'Name another network, unless something on that network gives addresses and forwards.');
}

function fixedVm({ objects }: Session, fixed: FixedSettings, image: PlannedImage | null): Look {
  const { vm, vdi, macs } = checkFixedPlace(objects, fixed, image);
  const gib = (vdi.sizeBytes / 2 ** 30).toFixed(2);
  return ok(`VM "${vm.name}" (${vm.powerState}, ${vm.firmware}, ${macs.join(' ')}), disk "${vdi.name}" of ${gib} GiB`);
}

function lock({ objects, endpoint }: Session, { vm }: FixedSettings): Look {
  const held = (objects.get('VM', vm)?.tags ?? []).flatMap((tag) => parseLock(tag) ?? []);
  const nowMs = xoNowMs({ endpoint });
  const [first] = held.filter(({ expiresMs }) => expiresMs > nowMs);
  if (first !== undefined) return warning(`held by ${first.holder}`, 'Wait for it, or start with --lock-wait SECONDS.');
  if (held.length === 0) return ok('free');
  return warning(`${held.length} lock(s) that have expired`, 'Run npm run -s sweep: it takes away locks of dead runs.');
}

function slots({ objects }: Session, { slots: all, fixed }: XoLabSettings): Look {
  if (fixed !== null && all.length === 0) return ok('none, the fixed VM has a MAC of its own');
  if (all.length === 0) return ok('none: the pool makes the MACs');
  const twice = (of: (slot: Slot) => string): readonly string[] =>
    all.map(of).filter((value, index, values) => values.indexOf(value) !== index);
  const doubled = [...twice(({ mac }) => mac), ...twice(({ address }) => address)];
  if (doubled.length > 0)
    return broken(`${doubled.join(', ')} stands in two slots`, 'Give each slot its own MAC and address.');
  const taken = all.filter(({ mac }) => objects.all('VIF').some((vif) => vif.mac === mac));
  const seen = `${all.length - taken.length} of ${all.length} free`;
  if (fixed !== null || taken.length < all.length) return ok(seen);
  return warning(`${seen}: every MAC is on a VIF of the pool`, 'Wait for the runs that hold them, or sweep.');
}

function addresses({ slots: all, addressSources, kind }: XoLabSettings): Look {
  const names = [...(all.length > 0 ? ['slot'] : []), ...addressSources.map(({ name }) => name)];
  if (names.length > 0 || kind === 'embedded') return ok(['guest metrics', ...names].join(', '));
  const seen = 'guest metrics only: a guest without guest tools is never found';
  return warning(seen, 'Add [[slots]], addresses.neighbours or addresses.command: docs/lab-setup.md, section 6.');
}

async function asked({ addressSources, slots: all }: XoLabSettings, macs: readonly string[], deadline: Deadline) {
  const wanted = macs.length > 0 ? macs : all.map(({ mac }) => mac);
  const said: string[] = [];
  for (const source of addressSources) {
    const found = await source.find(wanted, deadline);
    said.push(
      `${source.name}: ${found.length === 0 ? 'answers, knows none now' : found.map((each) => each.address).join(' ')}`,
    );
  }
  return ok(said.join('; '));
}

async function leftOvers(session: Session, deadline: Deadline): Promise<Look> {
  const objects = objectMap(await session.call('xo.getAllObjects', {}, deadline), 'xo.getAllObjects');
  const choices = chooseSweep(objects, { dead: [], only: null, dryRun: true, takesKept: false }, xoNowMs(session));
  const due = choices.filter(({ what }) => what !== 'leave');
  if (due.length === 0)
    return ok(choices.length === 0 ? 'none' : `none; ${choices.length} object(s) of runs that go on, or copies`);
  const seen = `${due.length} object(s) that have expired: ${due
    .slice(0, 3)
    .map(({ type, id }) => `${type} ${id}`)
    .join(', ')}`;
  return warning(seen, 'Look with npm run -s sweep -- --dry-run, then run it without.');
}

/** @param image null: none was named */
export async function placeFindings(
  session: Session,
  settings: XoLabSettings,
  { pool, placement: resolved }: Place,
  image: PlannedImage | null,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  const { fixed } = settings;
  const findings = [await look('hosts', () => hosts(session, pool))];
  if (fixed === null) findings.push(await look('placement', () => placement(session, settings)));
  else {
    findings.push(await look('fixed-vm', () => fixedVm(session, fixed, image)));
    findings.push(await look('lock', () => lock(session, fixed)));
  }
  if (resolved !== null) findings.push(await look('network', () => network(session, resolved)));
  findings.push(await look('slots', () => slots(session, settings)));
  findings.push(await look('addresses', () => addresses(settings)));
  if (settings.addressSources.length > 0) {
    const vm = fixed === null ? undefined : session.objects.get('VM', fixed.vm);
    const macs = (vm?.vifs ?? []).flatMap((id) => session.objects.get('VIF', id)?.mac ?? []);
    findings.push(await look('address-sources', () => asked(settings, macs, deadline)));
  }
  findings.push(await look('left-overs', () => leftOvers(session, deadline)));
  return findings;
}
