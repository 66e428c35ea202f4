/**
 * Finds guests in a neighbour table (ARP) by their MAC: `ip neigh` of Linux, `arp -an` of the BSDs. The table is that
 * of the machine which stands on the guests' network: this one, or the jump host.
 */
import { isIPv4 } from 'node:net';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { AddressSource, SaidAddress } from '../lab.ts';
import type { ScriptRunner } from './run-here.ts';
import type { Stimulation } from './stimulation.ts';

/** One entry that has a MAC. */
export interface Neighbour {
  readonly address: string;
  /** Lower case, two digits each. */
  readonly mac: string;
  /** The kernel has heard of it lately; else it may be a guest of yesterday. */
  readonly fresh: boolean;
}

/** Base tools of either system, found where a non-interactive login may not look. */
const SCRIPT = `PATH=$PATH:/sbin:/usr/sbin
if command -v ip >/dev/null 2>&1; then ip neigh show; else arp -an; fi
`;
const READ_MS = 10_000;
/** Neither incomplete nor failed; STALE says only that nobody asked for a while. */
const FRESH = /^(REACHABLE|DELAY|PROBE|PERMANENT|NOARP)$/;

/** FreeBSD leaves out leading zeros: `2:0:0:0:aa:1`. */
const fullMac = (mac: string): string =>
  mac
    .toLowerCase()
    .split(':')
    .map((part) => part.padStart(2, '0'))
    .join(':');

/** `192.0.2.7 dev eth0 lladdr 02:00:00:00:aa:01 [router] REACHABLE` */
const LINUX = /^(\S+) dev \S+ lladdr ([0-9a-f:]{11,17})\b.* ([A-Z]+)\s*$/i;
/** `? (192.0.2.7) at 02:00:00:00:aa:01 on em0 expires in 1190 seconds [ethernet]` */
const BSD = /^\S+ \(([^)]+)\) at ([0-9a-f:]{11,17})(?: \[ether\])? on \S+(.*)$/i;

/** Entries without a MAC (incomplete, failed) and link-local addresses are left out. */
export function parseNeighbours(text: string): readonly Neighbour[] {
  const found: Neighbour[] = [];
  for (const line of text.split('\n')) {
    const linux = LINUX.exec(line);
    const bsd = linux === null ? BSD.exec(line) : null;
    const [, address = '', mac = '', rest = ''] = linux ?? bsd ?? [];
    if (!isIPv4(address) || address.startsWith('169.254.')) continue;
    const fresh = linux === null ? /permanent/.test(rest) : FRESH.test(rest);
    if (linux !== null && rest === 'FAILED') continue;
    found.push({ address, mac: fullMac(mac), fresh });
  }
  return found;
}

export interface NeighbourTableOptions {
  readonly run: ScriptRunner;
  /** For messages: `this machine`, `the jump host`. */
  readonly where: string;
  /** Null: nobody is pinged. */
  readonly stimulation: Stimulation | null;
}

export function neighbourTable({ run, where, stimulation }: NeighbourTableOptions): AddressSource {
  return {
    name: 'neighbour-table',
    async find(macs, deadline: Deadline): Promise<readonly SaidAddress[]> {
      const limit = deadline.within(READ_MS);
      const look = async (): Promise<readonly SaidAddress[]> => {
        const { exit, stdout, stderr } = await run('neighbour-table', SCRIPT, limit);
        if (exit !== 0) {
          const why = `neighbour table of ${where}: exit ${exit ?? 'none'}${stderr === '' ? '' : `: ${stderr.trim()}`}`;
          throw new Fault('ADDRESS_SOURCE_FAILED', why.slice(0, 500));
        }
        const entries = parseNeighbours(stdout).filter(({ mac }) => macs.includes(mac));
        const ordered = [...entries.filter(({ fresh }) => fresh), ...entries.filter(({ fresh }) => !fresh)];
        return ordered.map(({ address, fresh }) => ({ address, sure: fresh }));
      };
      const found = await look();
      if (found.length === 0) stimulation?.start(deadline);
      return found;
    },
  };
}
