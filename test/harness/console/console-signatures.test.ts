import t from 'tap';
import {
  FATAL_SIGNATURES,
  fatalSignature,
  NOTED_SIGNATURES,
  notedSignatures,
} from '../../../harness/console/console-signatures.ts';

/** One console text per row, as the sources print it. */
const SHOWN: Readonly<Record<string, string>> = {
  'no-root': 'Mounting from ufs:/dev/ada0p2 failed with error 19.\n\nmountroot> \n',
  'no-bootable-device': 'Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nNo bootable device.\n',
  'no-loader': 'gptboot: No /boot/loader on 0:ad(0p2)\n',
  'freebsd-loader-prompt':
    "can't find 'kernel'\n\nType '?' for a list of commands, 'help' for more detailed help.\nOK ",
  'linux-loader-prompt': 'error: no such device: 1234.\nEntering rescue mode...\ngrub rescue> ',
  'fstab-device-missing':
    "Can't open /dev/ada0p4: No such file or directory\nERROR: ABORTING BOOT (sending SIGTERM to parent)!\n" +
    'Enter full pathname of shell or RETURN for /bin/sh: ',
  'linux-emergency-shell': 'You are in emergency mode. After logging in, type "journalctl -xb"\n',
  'boot-loop': '---<<BOOT>>---\nCopyright (c) 1992-2024 The FreeBSD Project.\n'.repeat(4),
  'freebsd-panic':
    'Fatal trap 12: page fault while in kernel mode\npanic: page fault\ncpuid = 0\ntime = 1\nKDB: stack backtrace:\n',
  'freebsd-debugger': 'KDB: enter: panic\n[ thread pid 1 tid 100002 ]\ndb> ',
  'freebsd-init-died': 'init died (signal 6, exit 0)\n',
  'freebsd-single-user-shell': 'Enter full pathname of shell or RETURN for /bin/sh: ',
  'fsck-refused': '/dev/ada0p2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n',
  'rc-aborted': 'ERROR: ABORTING BOOT (sending SIGTERM to parent)!\n',
  'linux-panic': '[    5.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n',
  'shepherd-respawning': 'Respawning sshd.\nService sshd has been disabled.\n  (Respawning too fast.)\n',
  'guile-uncaught-exception': 'Uncaught exception in task:\nIn procedure open-file: No such file or directory\n',
  'guile-locale': 'guile: warning: failed to install locale\n',
  'init-cannot-exec': "init: can't directly exec /frx/boot/fruix-pid1 for init_exec: No such file or directory\n",
  'no-dhcp': 'DHCPDISCOVER on vtnet0 to 255.255.255.255\nNo DHCPOFFERS received.\n',
  'device-waited-for': 'Root mount waiting for: usbus0 CAM\n',
  'linux-starved': 'watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\n',
};

/** As OCR misreads: zeros for letters, letters for zeros, spaces that go and come, one letter in ten lost. */
function misread(text: string): string {
  const swapped = text.replaceAll('0', 'O').replaceAll('o', '0').replaceAll('l', '1').replaceAll('i', 'l');
  return swapped.replaceAll(' ', '  ').replaceAll('\n', '\n\n').replaceAll('/', '').replaceAll('= 0', '= @');
}

t.test('each row says so on its text, on the serial port and off the screen', async (t) => {
  for (const { name, why, screen } of FATAL_SIGNATURES) {
    t.ok(why.length > 20, `${name} has its reason`);
    const text = SHOWN[name] ?? t.fail(`no console text for ${name}`) ?? '';
    t.equal(fatalSignature(String(text))?.name, name);
    if (screen.length === 0) continue;
    t.equal(fatalSignature(String(text), 'screen')?.name, name, `${name} off the screen`);
    t.equal(fatalSignature(misread(String(text)), 'screen')?.name, name, `${name} misread`);
  }
  for (const { name, screen } of NOTED_SIGNATURES) {
    const text = SHOWN[name] ?? '';
    t.match(notedSignatures(text)[0], name);
    if (screen.length > 0) t.match(notedSignatures(misread(text), 'screen')[0], name);
    t.equal(fatalSignature(text), null, `${name} ends no wait`);
  }
});

t.test('a root that is not found proves nothing against the image, though a panic follows', async (t) => {
  for (const text of [
    'VFS: Unable to mount root fs on unknown-block(0,0)\nKernel panic - not syncing: VFS: Unable to mount root fs\n',
    'panic: mountroot: unable to (re-)mount root.\ncpuid = 0\n',
    'fruix-initramfs: no partition named fruix-root\nKernel panic - not syncing: Attempted to kill init!\n',
  ]) {
    t.match(fatalSignature(text), { name: 'no-root', proves: 'stuck' });
    t.match(fatalSignature(misread(text), 'screen'), { name: 'no-root', proves: 'stuck' });
  }
});

t.test('a shell for a device that is not there is undecided: the lab may name the disk otherwise', async (t) => {
  const shell = 'Enter full pathname of shell or RETURN for /bin/sh: ';
  t.match(fatalSignature(shell), { proves: 'image' });
  t.match(fatalSignature(`Can't stat /dev/ada0p3: No such file or directory\n${shell}`), { proves: 'stuck' });
});

t.test('an ordinary boot shows nothing', async (t) => {
  const ordinary = [
    'Booting...\nService root started.\nlogin: \npanic is only a word here\n',
    'watchdogd started\npanic: no action configured\nlogin: \n',
    "Type '?' for a list of commands, 'help' for more detailed help.\nOK boot\nLoading kernel...\n---<<BOOT>>---\n",
    '---<<BOOT>>---\nCopyright (c) 1992-2024 The FreeBSD Project.\nmountroot: waiting for device\nlogin: ',
    'FreeBSD/amd64 (fruix) (ttyv0)\n\nlogin: root\nLast login: Thu\nroot@fruix:~ # dmesg | grep -i panic\n',
    '[    0.0] Linux version 6.12\n[    1.0] panic_on_oops\n[    2.0] Run /init as init process\nfruix: ready\n',
  ];
  for (const text of ordinary) {
    t.equal(fatalSignature(text), null, text);
    const screen = fatalSignature(text.replace(/^Type.*\n/m, ''), 'screen');
    t.equal(screen, null, `${text} on the screen`);
  }
});

t.test('serial text is exact: what OCR may misread is no match there', async (t) => {
  t.equal(fatalSignature('Kerne1 panic - not syncing: x\n'), null);
  t.match(fatalSignature('Kerne1 panic - not syncing: x\n', 'screen'), { name: 'linux-panic' });
});

t.test('a megabyte of ordinary lines is looked through at once', async (t) => {
  const text = 'Service x started. Mounting /dev/ada0p2: ok (no panic: here) [1] Linux\n'.repeat(14_000);
  const startedMs = performance.now();
  t.equal(fatalSignature(text), null);
  const ms = performance.now() - startedMs;
  t.ok(ms < 2_000, `${Math.round(ms)} ms`);
});

t.test('the line that is quoted is what stands on the screen, without what moves the cursor there', async (t) => {
  const shell = '\u001b[2J\u001b[01;01H\u001b[01;01HUEFI Interactive Shell v2.2\r\nEDK II\r\n';
  t.equal(fatalSignature(shell)?.line, 'UEFI Interactive Shell v2.2');
});
