/** Identity of machine and image: verified, mismatch and unreadable, each for its own reason. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { judgeImage, judgeMachine } from '../../../harness/guest/identity.ts';
import type { Observation } from '../../../harness/model.ts';
import { unframe } from '../../../harness/probes/frame.ts';
import { NONCE } from '../probes/scripts.ts';

function recorded(name: string): Observation {
  const { record } = JSON.parse(readFileSync(new URL(`./fixtures/identity/${name}.json`, import.meta.url), 'utf8'));
  const calm = { signal: null, truncated: false, timedOut: false, transport: null, startedAtMs: 0 };
  return unframe({ name, script: '', ...calm, ...record }, NONCE);
}
const seen = (facts: Record<string, string>): Observation => ({ state: 'seen', facts });

const UUID = '3b4f7c1e-1111-4222-8333-0123456789ab';
const vm = { uuid: UUID, macs: ['52:54:00:aa:bb:cc'], sinceStartMs: 60_000 };
const facts = { 'uuid.kenv': UUID, macs: '52:54:00:aa:bb:cc 00:00:00:00:00:00', uptime: '58', boot_id: 'ab' };

t.test('the machine, as recorded on the reference guest', async (t) => {
  const judged = judgeMachine(recorded('guest-identity'), { ...vm, sinceStartMs: 3_600_000 });
  t.match(judged, { state: 'verified', uuidSource: 'dmi', uuidForm: 'same' });
  t.match(judgeMachine(recorded('guest-identity'), { ...vm, sinceStartMs: 1_000 }), {
    state: 'mismatch',
    reason: /^up for/,
  });
});

t.test('the machine is verified', async (t) => {
  t.strictSame(judgeMachine(seen(facts), vm), {
    state: 'verified',
    uuidSource: 'kenv',
    uuidForm: 'same',
    uptimeS: 58,
    bootId: 'ab',
  });
  const swapped = { ...facts, 'uuid.kenv': '1E7C4F3B-1111-2242-8333-0123456789AB' };
  t.match(judgeMachine(seen(swapped), vm), { state: 'verified', uuidForm: 'swapped' });
  t.match(judgeMachine(seen({ ...swapped, 'uuid.xen': UUID }), vm), { uuidSource: 'xen', uuidForm: 'same' });
  t.match(judgeMachine(seen({ ...facts, uptime: '62' }), vm), { state: 'verified' }, 'rounding');
  t.match(judgeMachine(seen({ ...facts, boot_id: '' }), vm), { state: 'verified', bootId: null });
  t.match(
    judgeMachine(seen({ ...facts, macs: '52:54:0:AA:bb:cc' }), vm),
    { state: 'verified' },
    'a MAC without its zeros',
  );
  t.match(judgeMachine(seen(facts), { ...vm, uuid: UUID.toUpperCase() }), { state: 'verified' });
});

t.test('another machine answered', async (t) => {
  const no = (more: Record<string, string>, reason: RegExp, expected = vm): unknown =>
    t.match(judgeMachine(seen({ ...facts, ...more }), expected), { state: 'mismatch', reason });
  no({ 'uuid.kenv': '00000000-1111-4222-8333-0123456789ab' }, /^the VM is 3b4f.*kenv says 0000/);
  no({ macs: '52:54:00:aa:bb:cd' }, /^MAC 52:54:00:aa:bb:cc of the VM is not among/);
  no({}, /^MAC 52:54:00:00:00:01/, { ...vm, macs: [...vm.macs, '52:54:00:00:00:01'] });
  no({ uptime: '62.1' }, /^up for 62\.1 s, but started by us only 60\.0 s ago$/);
  no({ 'uuid.kenv': '', uptime: '4000' }, /^up for 4000 s/);
});

t.test('a guest that cannot tell is no other machine', async (t) => {
  const no = (more: Record<string, string>, reason: RegExp, expected = vm): unknown =>
    t.match(judgeMachine(seen({ ...facts, ...more }), expected), { state: 'unreadable', reason });
  no({ 'uuid.kenv': '' }, /^SMBIOS UUID unreadable/);
  no({ 'uuid.kenv': '00000000-0000-0000-0000-000000000000' }, /^SMBIOS UUID unreadable/);
  no({ 'uuid.kenv': 'ffffffff-ffff-ffff-ffff-ffffffffffff' }, /^SMBIOS UUID unreadable/);
  no({ macs: ' 00:00:00:00:00:00' }, /^MACs unreadable/);
  no({}, /no MAC to look for/, { ...vm, macs: [] });
  no({ uptime: '' }, /^uptime unreadable/);
  t.match(judgeMachine({ state: 'unseen', reason: 'cut' }, vm), { state: 'unreadable', reason: 'cut' });
  t.throws(() => judgeMachine(seen(facts), { ...vm, uuid: 'nonsense' }), /expected 32 hex digits/);
});

const image = {
  diskGuid: '960437EE-0E09-40FD-801A-B36EB7DEEDAB',
  partitionGuids: ['4BC0DFA4-5291-3B49-A8A8-EF3A8D0C8BEA', '72F8AB56-0C81-AA4C-90FC-2A6547DBE16B'],
};

t.test('the image, as recorded on the reference guest; its GUIDs as sfdisk prints them', async (t) => {
  const observation = recorded('image-identity');
  t.strictSame(judgeImage(observation, image), { state: 'verified', disk: 'vda', note: '' });
  const fewer = judgeImage(observation, { ...image, partitionGuids: image.partitionGuids.slice(0, 1) });
  t.match(fewer, { state: 'verified', note: /^partitions that the image did not have: 72f8ab56/ });
  const other = { ...image, diskGuid: image.diskGuid.replace('9', '8') };
  t.match(judgeImage(observation, other), { state: 'mismatch', reason: /^vda: disk GUID 9604.*the image has 8604/ });
  const more = { ...image, partitionGuids: [...image.partitionGuids, image.diskGuid] };
  t.match(judgeImage(observation, more), { state: 'mismatch', reason: /^vda: partition 9604.* is not there/ });
});

t.test('where the root is not known all disks are looked at, and that is said', async (t) => {
  const observation = recorded('image-identity');
  const dump = observation.state === 'seen' ? (observation.facts['gpt.vda'] ?? '') : '';
  const blank = '000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n*\n006000';
  const disks = { device: 'zroot/ROOT', disk: '', 'gpt.ada0': blank, 'gpt.ada1': dump };
  t.match(judgeImage(seen(disks), image), {
    state: 'verified',
    disk: 'ada1',
    note: /could not be told \(zroot\/ROOT\): all/,
  });
  const root = { device: '/dev/ada0p2', disk: 'ada0', 'gpt.ada0': blank };
  t.match(judgeImage(seen(root), image), { state: 'mismatch', reason: 'ada0: no GPT' });
  t.match(judgeImage(seen({ ...root, 'gpt.ada0': '000000' }), image), {
    state: 'unreadable',
    reason: /od said nothing/,
  });
  t.match(
    judgeImage(seen({ ...disks, 'gpt.ada1': '' }), image),
    { state: 'unreadable' },
    'one of them was not readable',
  );
  t.match(judgeImage(seen({ device: '', disk: '' }), image), { state: 'unreadable', reason: /root device unknown/ });
  t.match(judgeImage({ state: 'unseen', reason: 'cut' }, image), { state: 'unreadable', reason: 'cut' });
});
