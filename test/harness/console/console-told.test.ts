/** What a report says of a screen: said where it shows nothing, never guessed. */
import t from 'tap';
import { shownBy } from '../../../harness/console/console-told.ts';

const FILE = 'console/screen.txt';

t.test('nothing, or no more than firmware and loader: as that of a guest whose console is serial only', async (t) => {
  t.match(shownBy(' \n\n', FILE), /^shows nothing that can be read, as that of .* serial only$/);
  const firmware = 'SeaBIOS (version 1.16.2)\n\niPXE (http://ipxe.org)\nBooting from Hard Disk...\n';
  t.match(shownBy(firmware, FILE), /^shows no more than "Booting from Hard Disk..." of a firmware, as/);
  t.match(shownBy('GNU GRUB version 2.12\n\nBooting a command list\n', FILE), /no more than "GNU GRUB .*" of a loader/);
});

t.test('whatever stands below it was read', async (t) => {
  for (const text of [
    'Booting from Hard Disk...\nNo bootable device.\n',
    'Booting from Hard Disk...\na\nb\nc\n',
    '---<<BOOT>>---\n',
    'login: \n',
  ]) {
    t.equal(shownBy(text, FILE), `was read: ${FILE}`, text);
  }
});
