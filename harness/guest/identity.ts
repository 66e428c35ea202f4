/**
 * Judges, from what a guest shows of itself, whether it is the machine that was started and whether
 * it booted the disk that was sent. Two scripts (bodies for `probes/frame.ts`) and two pure judgements.
 */

import type { ImageIdentity, Observation } from '../model.ts';
import { type GptReading, readGpt } from './gpt-dump.ts';

/** The boot clock of a guest starts after our start call; what is over is rounding of whole seconds. */
const UPTIME_TOLERANCE_S = 2;

/** What is known of the VM from outside. */
export interface ExpectedMachine {
  /** VM uuid in XO. */
  readonly uuid: string;
  /** MACs of its VIFs, in any spelling. */
  readonly macs: readonly string[];
  /** From our start call to the end of the answer, on our monotonic clock. */
  readonly sinceStartMs: number;
}

export type MachineIdentity =
  | {
      readonly state: 'verified';
      /** Where the guest read its UUID, e.g. `kenv`. */
      readonly uuidSource: string;
      /** `swapped`: the first three fields came in the other byte order, which depends on the SMBIOS version. */
      readonly uuidForm: 'same' | 'swapped';
      readonly uptimeS: number;
      /** Changes with every boot; null: the guest has none. */
      readonly bootId: string | null;
    }
  | { readonly state: 'mismatch' | 'unreadable'; readonly reason: string };

export type ImageProof =
  | { readonly state: 'verified'; readonly disk: string; readonly note: string }
  | { readonly state: 'mismatch' | 'unreadable'; readonly reason: string };

/**
 * kenv exits 255 for a missing variable, which is also ssh's own failure status: its status stays
 * here. kern.hostuuid is no substitute: rc fills it, and with Shepherd as PID 1 no rc runs.
 */
export const machineScript = `
if have kenv; then
  fact uuid.kenv "$(kenv -q smbios.system.uuid 2>/dev/null || :)"
fi
first_line() {
  line=
  if [ -r "$1" ]; then read -r line <"$1" || :; fi
}
first_line /sys/class/dmi/id/product_uuid
fact uuid.dmi "$line"
first_line /sys/hypervisor/uuid
fact uuid.xen "$line"
macs=
for file in /sys/class/net/*/address; do
  first_line "$file"
  macs="$macs $line"
done
if [ -z "\${macs# }" ] && have ifconfig; then
  macs=$(ifconfig -a 2>/dev/null | sed -n 's/^[[:space:]]*ether \\([0-9a-fA-F:]*\\).*/\\1/p' | tr '\\n' ' ')
fi
fact macs "$macs"
first_line /proc/uptime
uptime=\${line%% *}
if [ -z "$uptime" ] && have ps; then
  # Both ends of this difference move together when the clock is set.
  uptime=$(ps -ww -o etimes= -p 1 2>/dev/null | tr -d ' ')
fi
fact uptime "$uptime"
first_line /proc/sys/kernel/random/boot_id
if [ -z "$line" ] && have sysctl; then
  # Opaque: sysctl -n would print nothing.
  line=$(sysctl -b kern.boot_id 2>/dev/null | od -An -v -tx1 | tr -d ' \\n')
fi
fact boot_id "$line"`;

/** Any mismatch counts more than anything that could not be read: it is proof, the other is none. */
export function judgeMachine(observation: Observation, expected: ExpectedMachine): MachineIdentity {
  if (observation.state === 'unseen') return { state: 'unreadable', reason: observation.reason };
  const { facts } = observation;
  const mismatches: string[] = [];
  const unreadable: string[] = [];

  const uuids = ['xen', 'kenv', 'dmi'].flatMap((source) => {
    const hex = uuidHex(facts[`uuid.${source}`] ?? '');
    return hex === null ? [] : [{ source, hex }];
  });
  const wanted = uuidHex(expected.uuid);
  if (wanted === null) throw new TypeError(`VM uuid: expected 32 hex digits, given '${expected.uuid}'`);
  const same = uuids.find(({ hex }) => hex === wanted);
  const match = same ?? uuids.find(({ hex }) => hex === swapped(wanted));
  if (uuids.length === 0) unreadable.push('SMBIOS UUID unreadable: kenv, product_uuid and /sys/hypervisor/uuid');
  else if (match === undefined) {
    const seen = uuids.map(({ source, hex }) => `${source} says ${hex}`).join(', ');
    mismatches.push(`the VM is ${wanted}, but ${seen}`);
  }

  const present = (facts.macs ?? '').split(' ').flatMap((mac) => macHex(mac) ?? []);
  const absent = expected.macs.filter((mac) => !present.includes(macHex(mac) ?? mac));
  if (expected.macs.length === 0) unreadable.push('the VM has no MAC to look for');
  else if (present.length === 0) unreadable.push('MACs unreadable: /sys/class/net and ifconfig');
  else if (absent.length > 0) mismatches.push(`MAC ${absent.join(', ')} of the VM is not among ${present.join(', ')}`);

  const uptimeS = /^[0-9]+(\.[0-9]+)?$/.test(facts.uptime ?? '') ? Number(facts.uptime) : null;
  const sinceStartS = expected.sinceStartMs / 1000;
  if (uptimeS === null) unreadable.push('uptime unreadable: /proc/uptime and ps');
  else if (uptimeS > sinceStartS + UPTIME_TOLERANCE_S) {
    mismatches.push(`up for ${uptimeS} s, but started by us only ${sinceStartS.toFixed(1)} s ago`);
  }

  if (mismatches.length > 0) return { state: 'mismatch', reason: mismatches.join('; ') };
  if (unreadable.length > 0 || match === undefined || uptimeS === null) {
    return { state: 'unreadable', reason: unreadable.join('; ') };
  }
  const bootId = facts.boot_id ? facts.boot_id : null;
  return { state: 'verified', uuidSource: match.source, uuidForm: same ? 'same' : 'swapped', uptimeS, bootId };
}

/** 32 lower-case hex digits; null for anything else and for all zeros or all ones, which name nobody. */
function uuidHex(text: string): string | null {
  const hex = text.trim().toLowerCase().replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(hex) && !/^(0{32}|f{32})$/.test(hex) ? hex : null;
}

/** The first three fields in the other byte order: SMBIOS 2.6 changed it, hvmloader is older, firmware may be newer. */
function swapped(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return [3, 2, 1, 0, 5, 4, 7, 6].map((i) => bytes[i]).join('') + bytes.slice(8).join('');
}

/** Six bytes, each padded: some systems drop leading zeros. Null: not a MAC, or all zeros. */
function macHex(text: string): string | null {
  const parts = text.trim().toLowerCase().split(':');
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/.test(part))) return null;
  const mac = parts.map((part) => part.padStart(2, '0')).join(':');
  return mac === '00:00:00:00:00:00' ? null : mac;
}

/**
 * Reads the raw GPT of the disk that holds the root; no tool of FreeBSD's base prints a disk's own
 * GUID. 24 KiB in blocks of 4 KiB: whole sectors on any disk, header and entries with 512 and with
 * 4096 bytes a sector. od without -v folds the empty entries into one `*`.
 */
export const imageScript = `
dump() {
  fact "gpt.$1" "$(dd if="/dev/$1" bs=4096 count=6 2>/dev/null | od -Ax -tx1)"
}

device=
if [ -r /proc/self/mounts ]; then
  while read -r source point rest; do
    case $point$source in
      //dev/root) ;;
      //dev/*) device=$source ;;
    esac
  done </proc/self/mounts
fi
if [ -z "$device" ]; then
  device=$(df -P / 2>/dev/null | awk 'NR == 2 { print $1 }')
fi
case $device in
  '' | /dev/root) ! have kenv || device=$(kenv -q vfs.root.mountfrom 2>/dev/null | sed 's/^[^:]*://') ;;
esac
case $device in
  '' | /dev/root)
    if [ -r /proc/cmdline ]; then device=$(tr ' ' '\\n' </proc/cmdline | sed -n 's/^root=//p' | tail -n 1); fi
    ;;
esac
fact device "$device"
name=\${device#/dev/}
disk=
if [ -d /sys/class/block ]; then
  # A label or a mapper name is a link to the node with the kernel's name.
  if [ -L "$device" ]; then
    name=$(readlink -f "$device")
    name=\${name#/dev/}
  fi
  if [ -n "$name" ] && [ -e "/sys/class/block/$name/partition" ]; then
    disk=$(readlink -f "/sys/class/block/$name")
    disk=\${disk%/*}
    disk=\${disk##*/}
  elif [ -n "$name" ] && [ -e "/sys/block/$name/device" ]; then
    disk=$name
  fi
else
  case $name in
    */*) ! have glabel || name=$(glabel status -s 2>/dev/null | awk -v n="$name" '$1 == n { print $3 }') ;;
  esac
  disk=$(printf '%s\\n' "$name" |
    sed -n 's/^\\([a-z]*[0-9][0-9]*\\)p[0-9][0-9]*$/\\1/p; s/^\\([a-z]*[0-9][0-9]*\\)s[0-9][0-9]*[a-h]*$/\\1/p')
  case " $(sysctl -n kern.disks 2>/dev/null) " in
    *" $name "*) disk=$name ;;
  esac
fi
fact disk "$disk"
if [ -n "$disk" ]; then
  dump "$disk"
else
  for one in $(sysctl -n kern.disks 2>/dev/null) /sys/block/*; do
    one=\${one##*/}
    case $one in
      '*' | loop* | ram* | zram* | fd* | sr* | cd* | dm-* | md*) continue ;;
    esac
    [ ! -e "/dev/$one" ] || dump "$one"
  done
fi
:`;

/**
 * Verified where disk GUID and every partition GUID of the image are on the root's disk. A partition
 * more is no mismatch (a first boot may add swap); it is in the note.
 */
export function judgeImage(observation: Observation, identity: ImageIdentity): ImageProof {
  if (observation.state === 'unseen') return { state: 'unreadable', reason: observation.reason };
  const { facts } = observation;
  const dumps = Object.entries(facts).filter(([key]) => key.startsWith('gpt.'));
  const root = facts.disk ?? '';
  if (dumps.length === 0) {
    return { state: 'unreadable', reason: `no disk to look at (root device ${facts.device || 'unknown'})` };
  }
  const readings = dumps.map(([key, dump]) => ({ disk: key.slice('gpt.'.length), reading: readGpt(dump) }));
  const note =
    root === '' ? `the root's disk could not be told (${facts.device || 'no device'}): all were looked at` : '';
  const refused: string[] = [];
  for (const { disk, reading } of readings) {
    const why = difference(reading, identity);
    if (why === null)
      return { state: 'verified', disk, note: [note, extra(reading, identity)].filter(Boolean).join('; ') };
    refused.push(`${disk}: ${why}`);
  }
  const reason = [note, ...refused].filter(Boolean).join('; ');
  return { state: readings.some(({ reading }) => reading.state === 'unreadable') ? 'unreadable' : 'mismatch', reason };
}

function difference(reading: GptReading, identity: ImageIdentity): string | null {
  if (reading.state !== 'gpt') return reading.reason;
  const lower = (guid: string): string => guid.toLowerCase();
  const wanted = lower(identity.diskGuid);
  if (reading.diskGuid !== wanted) return `disk GUID ${reading.diskGuid}, the image has ${wanted}`;
  const missing = identity.partitionGuids.map(lower).filter((guid) => !reading.partitionGuids.includes(guid));
  return missing.length === 0 ? null : `partition ${missing.join(', ')} of the image is not there`;
}

function extra(reading: GptReading, identity: ImageIdentity): string {
  if (reading.state !== 'gpt') return '';
  const known = identity.partitionGuids.map((guid) => guid.toLowerCase());
  const added = reading.partitionGuids.filter((guid) => !known.includes(guid));
  return added.length === 0 ? '' : `partitions that the image did not have: ${added.join(', ')}`;
}
