/** What apt says it would install, as recorded from apt 2.6. */
import t from 'tap';
import { resolvedPackages } from '../../../lab/guest/recipe/apt.ts';

const SIMULATION = `NOTE: This is only a simulation!
Reading package lists...
The following NEW packages will be installed:
  base-files libwrap0 openssh-server
Inst base-files (13.8+deb13u6 Debian:13.6/stable [amd64])
Inst gcc-14-base (14.2.0-19 Debian:13.6/stable [amd64]) []
Inst libaudit-common (1:4.0.2-2 Debian:13.6/stable [all])
Conf base-files (13.8+deb13u6 Debian:13.6/stable [amd64])
`;

t.strictSame(resolvedPackages(SIMULATION), [
  { name: 'base-files', version: '13.8+deb13u6', architecture: 'amd64' },
  { name: 'gcc-14-base', version: '14.2.0-19', architecture: 'amd64' },
  { name: 'libaudit-common', version: '1:4.0.2-2', architecture: 'all' },
]);
t.strictSame(resolvedPackages('E: Unable to locate package guile-fibers\n'), []);
