/** KVM only where the processor shows it and the device can be written; else TCG, with the reason. */
import t from 'tap';
import { type AcceleratorEvidence, chooseAccelerator } from '../../lab/accelerator.ts';

const INTEL = 'processor\t: 0\nflags\t\t: fpu vme vmx ssse3\nvmx flags\t: vnmi\n';
const AMD = 'processor\t: 0\nflags\t\t: fpu svm\n';
const refused = { refused: 'EACCES' } as const;

const ROWS: readonly { readonly title: string; readonly evidence: AcceleratorEvidence; readonly says: RegExp }[] = [
  {
    title: 'no feature, though the device is there: the trap of a nested machine',
    evidence: { cpuinfo: 'flags\t\t: fpu vme ssse3\n', kvmDevice: 'writable' },
    says: /TCG.*neither vmx nor svm/,
  },
  { title: 'no cpuinfo', evidence: { cpuinfo: '', kvmDevice: 'writable' }, says: /neither vmx nor svm/ },
  {
    title: 'the feature only inside another word, or on another line',
    evidence: { cpuinfo: 'flags\t\t: fpu svm_lock avmx\nvmx flags\t: vmx svm\n', kvmDevice: 'writable' },
    says: /neither vmx nor svm/,
  },
  {
    title: 'a device that may not be written',
    evidence: { cpuinfo: INTEL, kvmDevice: refused },
    says: /TCG.*\/dev\/kvm is not writable \(EACCES\)/,
  },
];

for (const { title, evidence, says } of ROWS) {
  t.test(`TCG: ${title}`, async (t) => {
    const { name, why } = chooseAccelerator(evidence);
    t.equal(name, 'tcg');
    t.match(why, says);
  });
}

t.test('KVM: Intel and AMD with a writable device', async (t) => {
  t.same(chooseAccelerator({ cpuinfo: INTEL, kvmDevice: 'writable' }), {
    name: 'kvm',
    why: 'Guests run with KVM: the processor shows vmx and /dev/kvm is writable.',
  });
  t.equal(chooseAccelerator({ cpuinfo: AMD, kvmDevice: 'writable' }).name, 'kvm');
});
