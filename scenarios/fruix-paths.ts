/**
 * Where things are in a Fruix guest and what they say, as its own reports and the seed name them. The services are
 * those of the reference guest: Fruix's reports do not list them, so a system with others names its own.
 */
import type { GuestPaths } from '../harness/model.ts';

export const fruixPaths: GuestPaths = {
  shimPrefixes: [
    '/tmp/guile-freebsd-validate-install',
    '/tmp/guile-gnutls-freebsd-validate-install',
    '/tmp/shepherd-freebsd-validate-install',
  ],
  store: '/frx/store',
  currentSystem: '/run/current-system',
  readyMarker: '/var/lib/fruix/ready',
  readyMarkerContent: 'ready',
  shepherdSocket: ['/var/run/shepherd/socket', '/run/shepherd/socket'],
  shepherdPidFile: ['/var/run/shepherd.pid', '/run/shepherd.pid', '/var/run/shepherd/shepherd.pid'],
  herd: ['/run/current-system/profile/bin/herd', '/usr/local/bin/herd'],
  guile: ['/run/current-system/profile/bin/guile', '/usr/local/bin/guile'],
  guileEnvironment: ['/run/current-system/etc/guile.env'],
  shepherdConfig: [
    'Prefix-dir=/frx',
    '%localstatedir=/var',
    '%runstatedir=/var/run',
    '%sysconfdir=/etc',
    '%localedir=/usr/share/locale',
    '%pkglibdir=/usr/local/lib/shepherd',
  ],
  servicesUnderInit: ['root', 'fruix-ready'],
  servicesAsPid1: ['root', 'fruix-ready', 'sshd'],
};
