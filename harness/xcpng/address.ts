/**
 * Where the guest answers: what the guest itself reports through XO, then what is reserved for the
 * slot's MAC. The winner and what the others said are named; a disagreement is a fault, never a guess.
 */
import { isIP } from 'node:net';
import type { Vm } from './wire.ts';

export type AddressFound =
  | { readonly state: 'found'; readonly host: string; readonly source: string; readonly others: readonly string[] }
  | { readonly state: 'conflict'; readonly seen: string }
  | { readonly state: 'none'; readonly seen: string };

/** 169.254/16 and fe80::/10: valid on one wire only, and what a guest has that got no address. */
const isLinkLocal = (address: string): boolean => /^169\.254\./.test(address) || /^fe[89ab]/i.test(address);

/** Device and index as numbers: as strings NIC 10 would come before NIC 2. */
function order(key: string): readonly number[] {
  const [device, , index] = key.split('/');
  return [Number(device), Number(index)];
}

/** What the guest reports, IPv4 first, then by device and index. */
export function reportedAddresses(vm: Pick<Vm, 'addresses' | 'mainIpAddress'>): readonly string[] {
  const entries = Object.entries(vm.addresses).sort(([a], [b]) => {
    const [deviceA = 0, indexA = 0] = order(a);
    const [deviceB = 0, indexB = 0] = order(b);
    return deviceA - deviceB || indexA - indexB;
  });
  // Old agents report several addresses in one value, separated by spaces.
  const all = [...entries.map(([, value]) => value), vm.mainIpAddress ?? ''].flatMap((value) => value.split(/\s+/));
  const usable = [...new Set(all)].filter((address) => isIP(address) !== 0 && !isLinkLocal(address));
  return [...usable.filter((address) => isIP(address) === 4), ...usable.filter((address) => isIP(address) === 6)];
}

/** @param reserved address of the slot in the lab file; null: the guest has no slot */
export function chooseAddress(vm: Pick<Vm, 'addresses' | 'mainIpAddress'>, reserved: string | null): AddressFound {
  const reported = reportedAddresses(vm);
  const [first] = reported;
  if (reserved === null) {
    if (first !== undefined) return { state: 'found', host: first, source: 'guest-metrics', others: [] };
    const raw = Object.values(vm.addresses).join(' ');
    return { state: 'none', seen: raw === '' ? 'the guest reports no address' : `the guest reports only ${raw}` };
  }
  const others = reported.map((address) => `guest-metrics=${address}`);
  // An address of the other family does not contradict: a guest has both.
  const comparable = reported.filter((address) => isIP(reserved) === 0 || isIP(address) === isIP(reserved));
  if (comparable.length === 0) return { state: 'found', host: reserved, source: 'slot', others };
  if (comparable.includes(reserved)) {
    const rest = reported.filter((address) => address !== reserved).map((address) => `guest-metrics=${address}`);
    return { state: 'found', host: reserved, source: 'guest-metrics', others: [`slot=${reserved}`, ...rest] };
  }
  return { state: 'conflict', seen: `the slot says ${reserved}, the guest reports ${comparable.join(', ')}` };
}
