/** Phase 9: FreeBSD's init is PID 1 and rc.d starts Shepherd; the guest must do without the /tmp prefix aliases. */
import type { Scenario } from '../harness/model.ts';
import { compatPrefixShims } from '../harness/probes/compat-prefix-shims.ts';
import { currentSystem } from '../harness/probes/current-system.ts';
import { guileModuleSmoke } from '../harness/probes/guile-module-smoke.ts';
import { pid1 } from '../harness/probes/pid1.ts';
import { readyMarker } from '../harness/probes/ready-marker.ts';
import { shepherdPid } from '../harness/probes/shepherd-pid.ts';
import { shepherdSocket } from '../harness/probes/shepherd-socket.ts';
import { shepherdStatus } from '../harness/probes/shepherd-status.ts';
import { sshdStatus } from '../harness/probes/sshd-status.ts';
import { uname } from '../harness/probes/uname.ts';
import { fruixPaths } from './fruix-paths.ts';

export const phase9XcpngBoot: Scenario = {
  name: 'phase9-xcpng-boot',
  summary: 'boots with FreeBSD init as PID 1 and Shepherd under rc.d, without /tmp prefix shims',
  bootMode: 'freebsd-init+rc.d-shepherd',
  // The first five in the order of the metadata that this phase has always printed.
  probes: [
    compatPrefixShims,
    guileModuleSmoke,
    readyMarker,
    shepherdStatus,
    sshdStatus,
    currentSystem,
    shepherdPid,
    shepherdSocket,
    pid1,
    uname,
  ],
  budgets: { provisionS: 600, bootS: 60, readyS: 30, probeS: 15, disposeS: 180 },
  paths: fruixPaths,
};
