import t from 'tap';
import { FATAL_SIGNATURES, fatalSignature } from '../../harness/console-signatures.ts';

/** One console text per row, as the sources print it. */
const SHOWN: Readonly<Record<string, string>> = {
  'no-root': 'Mounting from ufs:/dev/ada0p2 failed with error 19.\n\nmountroot> \n',
  'no-bootable-device': 'Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nNo bootable device.\n',
  'freebsd-panic': 'Fatal trap 12: page fault while in kernel mode\npanic: page fault\ncpuid = 0\ntime = 1\n',
  'freebsd-init-died': 'init died (signal 6, exit 0)\npanic: Going nowhere without my init!\n',
  'freebsd-single-user-shell': 'Enter full pathname of shell or RETURN for /bin/sh: ',
  'fsck-refused': '/dev/ada0p2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n',
  'rc-aborted': 'ERROR: ABORTING BOOT (sending SIGTERM to parent)!\n',
  'linux-panic': '[    5.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n',
};

t.test('each row says so on its text', async (t) => {
  for (const { name, why } of FATAL_SIGNATURES) {
    t.ok(why.length > 20, `${name} has its reason`);
    const text = SHOWN[name];
    if (text === undefined) t.fail(`no console text for ${name}`);
    else if (name === 'freebsd-init-died') t.match(fatalSignature(text), { proves: 'image' });
    else t.equal(fatalSignature(text)?.name, name);
  }
});

t.test('a root that is not found proves nothing against the image, though a panic follows', async (t) => {
  for (const text of [
    'VFS: Unable to mount root fs on unknown-block(0,0)\nKernel panic - not syncing: VFS: Unable to mount root fs\n',
    'panic: mountroot: unable to (re-)mount root.\n',
    'fruix-initramfs: no partition named fruix-root\nKernel panic - not syncing: Attempted to kill init!\n',
  ]) {
    t.match(fatalSignature(text), { name: 'no-root', proves: 'stuck' });
  }
});

t.test('an ordinary boot shows nothing', async (t) => {
  t.equal(fatalSignature('Booting...\nService root started.\nlogin: \npanic is only a word here\n'), null);
  t.equal(fatalSignature('watchdogd started\npanic: no action configured\nlogin: \n'), null, 'a log that says so');
});
