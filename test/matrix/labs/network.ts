/** Labs whose network, addresses or storage lead astray: rows of the matrix. */
import { readFileSync } from 'node:fs';
import { KINDS } from '../../wire/calls-of-a-run.ts';
import { fixedOptions, IMAGE_BYTES, makeVm, shown, within } from '../../wire/operators-vm.ts';
import { answering, lab, PASS, type Row } from '../../wire/rows.ts';
import type { Backstage } from '../../wire/witness.ts';

const { fixed = {} } = KINDS;

export const NETWORK: readonly Row[] = [
  {
    name: 'a network that is dead for image and control',
    mishaps: ['dead-network'],
    scale: 0.1,
    ...{ ...lab('CONTROL_SILENT'), says: /both silent/ },
  },
  {
    name: 'an address that changes while the guest is probed',
    labFile: withoutSlots,
    ...fixed,
    mishaps: ['guest-metrics=own,127.99.99.99@2'],
    ...{ answers: answering({ delayMs: 4_000 }), ...PASS },
  },
  {
    name: 'another machine on our address',
    ...{ labFile: withoutSlots, before: takenAddress, ...lab('WRONG_GUEST'), says: /guest identity/ },
  },
  {
    name: 'guest metrics that contradict the slot',
    mishaps: ['guest-metrics=198.51.100.7'],
    answers: { guests: [{ boot: { delayMs: 1_000 } }] },
    ...{ ...lab('ADDRESS_CONFLICT'), says: /guest-metrics says 198\.51\.100\.7, slot says 127\./ },
  },
  {
    name: 'a command for addresses that fails, and no slot',
    labFile: withoutSlots,
    before: async (backstage) => [...fixedOptions(await makeVm(backstage)), '--address-command', '/bin/false'],
    scale: 0.1,
    ...{ ...lab('ADDRESS_SOURCE_FAILED'), says: /command failed/ },
  },
];

export const STORAGE: readonly Row[] = [
  { name: 'an upload that is cut each time', mishaps: ['upload-cut=0.5'], scale: 0.05, ...lab('UPLOAD_INTERRUPTED') },
  { name: 'an upload that is cut once', mishaps: ['upload-cut=0.5:once'], ...PASS },
  { name: 'the pool refuses what is uploaded', mishaps: ['transfer-fails'], ...lab('UPLOAD_REFUSED') },
  {
    name: 'an SR that keeps old blocks, on the operator’s disk',
    before: async (backstage) => {
      const made = await makeVm(backstage);
      const { url, token } = backstage.lab;
      const headers = { cookie: `authenticationToken=${token}`, 'content-type': 'application/octet-stream' };
      const body = Buffer.alloc(IMAGE_BYTES, 'old');
      await fetch(`${url}/rest/v0/vdis/${made.vdi}.raw`, { method: 'PUT', headers, body });
      return fixedOptions(made);
    },
    mishaps: ['keep-old-blocks'],
    ...lab('READ_BACK_DIFFERS'),
  },
  { name: 'an SR in maintenance mode', mishaps: ['sr-maintenance'], ...lab('SR_UNUSABLE') },
  { name: 'an SR that is detached', mishaps: ['sr-detached'], ...lab('SR_UNUSABLE') },
  { name: 'an SR without room', mishaps: ['sr-size=4'], ...lab('SR_FULL') },
  { name: 'a host without the memory', mishaps: ['host-free=64'], ...lab('NO_HOST_AVAILABLE') },
  { name: 'a start that fails', mishaps: ['start-fails=SR_BACKEND_FAILURE_46'], ...lab('VM_START_REFUSED') },
  { name: 'a call that is never answered', mishaps: ['stall=vm.start'], scale: 0.05, ...lab('XO_CALL_TIMEOUT') },
  { name: 'an older Xen Orchestra without REST', mishaps: ['no-rest'], ...PASS },
  { name: 'objects that lag behind the replies', mishaps: ['late-objects=2'], ...PASS },
  { name: 'a first sign-in that is refused', mishaps: ['sign-in-throttle'], ...PASS },
];

export function withoutSlots(text: string): string {
  return text.replace(/^\[\[slots\]\]\n(?:\w.*\n)+/gm, '');
}

/** Somebody else's guest runs, with the harness's key, at the address that is reported of ours. */
async function takenAddress(backstage: Backstage): Promise<readonly string[]> {
  const { vm } = await makeVm(backstage);
  const session = await backstage.other();
  await session.call('vm.start', { id: vm }, within());
  await shown(session, () => session.objects.get('VM', vm)?.powerState === 'Running');
  const text = readFileSync(backstage.lab.labFile, 'utf8');
  backstage.mishaps.set('guest-metrics', /address = "(.*)"/.exec(text)?.[1]);
  return [];
}
