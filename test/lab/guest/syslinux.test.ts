/** The boot loader's configuration: which mode boots, how the root is found, and what is pinned. */
import t from 'tap';
import { GUEST_BOOT_MODES, syslinuxConfig } from '../../../lab/guest/recipe/syslinux.ts';

/** Lines of one label, trimmed. */
function label(config: string, name: string): string[] {
  const lines = config.split('\n').map((line) => line.trim());
  const start = lines.indexOf(`LABEL ${name}`);
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line === '' || line.startsWith('LABEL '));
  return rest.slice(0, end < 0 ? undefined : end);
}

for (const bootMode of GUEST_BOOT_MODES) {
  t.test(`${bootMode} is the default and both labels are there`, async (t) => {
    const config = syslinuxConfig({ bootMode, root: 'named' });
    t.match(config, new RegExp(`^DEFAULT ${bootMode.replace('+', '\\+')}$`, 'm'));
    t.match(label(config, 'freebsd-init+rc.d-shepherd').at(-1), / init=\/sbin\/init /);
    t.match(label(config, 'shepherd-pid1').at(-1), / init=\/sbin\/fruix-pid1 /);
  });
}

t.test('the root file system is found by name, and the serial console comes last', async (t) => {
  const lines = label(syslinuxConfig({ bootMode: 'shepherd-pid1', root: 'named' }), 'shepherd-pid1');
  t.ok(lines.includes('INITRD /initrd.img'));
  t.match(lines.at(-1), /^APPEND root=PARTNAME=fruix-root /);
  t.match(lines.at(-1), / console=tty0 console=ttyS0,115200 /);
});

t.test('without a root there is no initramfs for any label', async (t) => {
  t.notMatch(syslinuxConfig({ bootMode: 'shepherd-pid1', root: 'missing' }), /INITRD|PARTNAME/);
});

t.test("syslinux's own limits", async (t) => {
  for (const line of syslinuxConfig({ bootMode: 'shepherd-pid1', root: 'named' }).split('\n')) {
    t.ok(Buffer.byteLength(line) < 512, 'a line longer than its buffer is cut');
  }
});
