/**
 * Where the guest answers, out of what everybody says who may know: the guest itself through XO, the slot's
 * reservation, the sources of the lab file. The winner and the others are named; a disagreement is a fault, never a
 * guess.
 */
import { BlockList, isIP } from 'node:net';
import type { SaidAddress } from '../lab.ts';
import type { Vm } from './wire.ts';

/** What one source says. */
export interface Saying {
  readonly source: string;
  /** The best first. */
  readonly addresses: readonly SaidAddress[];
  /** Why it could not be asked; null: it could. */
  readonly failed: string | null;
}

export type AddressFound =
  | {
      readonly state: 'found';
      readonly host: string;
      readonly source: string;
      readonly others: readonly string[];
      /** Some source is sure of it. */
      readonly sure: boolean;
    }
  | { readonly state: 'conflict'; readonly seen: string }
  | { readonly state: 'none'; readonly seen: string };

/** 169.254/16 and fe80::/10 are what a guest has that got no address; 0.0.0.0 and :: are nobody's. */
const NOBODYS = new BlockList();
NOBODYS.addSubnet('169.254.0.0', 16);
NOBODYS.addSubnet('fe80::', 10, 'ipv6');
NOBODYS.addAddress('0.0.0.0');
NOBODYS.addAddress('::', 'ipv6');

/** In whatever spelling, IPv4 within IPv6 included; a name never is. */
function isNobodys(address: string): boolean {
  const family = isIP(address);
  // A zone (`%em0`) is no part of the address.
  return family !== 0 && NOBODYS.check(address.replace(/%.*$/, ''), family === 6 ? 'ipv6' : 'ipv4');
}

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
  const usable = [...new Set(all)].filter((address) => isIP(address) !== 0 && !isNobodys(address));
  return [...usable.filter((address) => isIP(address) === 4), ...usable.filter((address) => isIP(address) === 6)];
}

/** @param reserved address of the slot in the lab file; null: the guest has no slot */
export function sayingsOfXo(vm: Pick<Vm, 'addresses' | 'mainIpAddress'>, reserved: string | null): readonly Saying[] {
  const sure = (addresses: readonly string[]): readonly SaidAddress[] =>
    addresses.map((address) => ({ address, sure: true }));
  return [
    { source: 'guest-metrics', addresses: sure(reportedAddresses(vm)), failed: null },
    ...(reserved === null ? [] : [{ source: 'slot', addresses: sure([reserved]), failed: null }]),
  ];
}

/** One address as one source says it. */
interface Vote {
  readonly source: string;
  readonly address: string;
  readonly sure: boolean;
  /** 4, 6, or 0 for a name. A guest has an address of each family: one does not contradict the other. */
  readonly family: number;
}

/** @param sayings the most trusted source first */
export function chooseAddress(sayings: readonly Saying[]): AddressFound {
  const votes = sayings.flatMap(({ source, addresses }) =>
    addresses
      .filter(({ address }) => !isNobodys(address))
      .map((said): Vote => ({ source, ...said, family: isIP(said.address) })),
  );
  const conflict = contradiction(votes);
  if (conflict !== null) return { state: 'conflict', seen: conflict };
  const winner = best(votes);
  if (winner === null) return { state: 'none', seen: sayings.map(sentence).join('; ') };
  const { address: host, source } = winner;
  const rest = votes.filter((vote) => vote.source !== source || vote.address !== host);
  const failed = sayings.flatMap(({ source: name, failed: why }) => (why === null ? [] : [`${name} failed: ${why}`]));
  const sure = votes.some((vote) => vote.sure && vote.address === host);
  return { state: 'found', host, source, sure, others: [...rest.map(shown), ...failed] };
}

const shown = ({ source, address, sure }: Vote): string => `${source}=${address}${sure ? '' : ' (old)'}`;

/** Two sources that are sure, of one family, with nothing in common. */
function contradiction(votes: readonly Vote[]): string | null {
  const sure = votes.filter((vote) => vote.sure && vote.family !== 0);
  for (const family of [4, 6]) {
    const said = new Map<string, string[]>();
    for (const vote of sure.filter((each) => each.family === family)) {
      said.set(vote.source, [...(said.get(vote.source) ?? []), vote.address]);
    }
    const all = [...said];
    for (const [index, [source, addresses]] of all.entries()) {
      for (const [other, theirs] of all.slice(index + 1)) {
        if (addresses.some((address) => theirs.includes(address))) continue;
        return `${source} says ${addresses.join(', ')}, ${other} says ${theirs.join(', ')}`;
      }
    }
  }
  return null;
}

/** The address that most sources are sure of; of equal ones IPv4 first, then as the most trusted source says. */
function best(votes: readonly Vote[]): Vote | null {
  const support = ({ address }: Vote): number =>
    votes.reduce((sum, vote) => sum + (vote.address === address ? (vote.sure ? 1 : 0.001) : 0), 0);
  const familyRank = ({ family }: Vote): number => (family === 6 ? 1 : 0);
  let winner: Vote | null = null;
  for (const vote of votes) {
    const better =
      winner === null ||
      familyRank(vote) < familyRank(winner) ||
      (familyRank(vote) === familyRank(winner) && support(vote) > support(winner));
    if (better) winner = vote;
  }
  return winner;
}

function sentence({ source, addresses, failed }: Saying): string {
  if (failed !== null) return `${source} failed: ${failed}`;
  if (addresses.length === 0) return `${source} knows none`;
  return `${source} knows only ${addresses.map(({ address }) => address).join(', ')}`;
}
