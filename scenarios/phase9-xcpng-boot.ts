/** Phase 9: FreeBSD's init is PID 1 and rc.d starts Shepherd; the guest must do without the /tmp prefix aliases. */
import type { Scenario } from '../harness/model.ts';
import { bakedPrefixStrings } from '../harness/probes/baked-prefix-strings.ts';
import { compatPrefixShims } from '../harness/probes/compat-prefix-shims.ts';
import { currentSystem } from '../harness/probes/current-system.ts';
import { guileModuleFiles } from '../harness/probes/guile-module-files.ts';
import { guileModuleSmoke } from '../harness/probes/guile-module-smoke.ts';
import { pid1 } from '../harness/probes/pid1.ts';
import { processPrefixes } from '../harness/probes/process-prefixes.ts';
import { readyMarker } from '../harness/probes/ready-marker.ts';
import { shepherdConfig } from '../harness/probes/shepherd-config.ts';
import { shepherdPid } from '../harness/probes/shepherd-pid.ts';
import { shepherdServices } from '../harness/probes/shepherd-services.ts';
import { shepherdSocket } from '../harness/probes/shepherd-socket.ts';
import { shepherdStatus } from '../harness/probes/shepherd-status.ts';
import { sshdStatus } from '../harness/probes/sshd-status.ts';
import { staleCaches } from '../harness/probes/stale-caches.ts';
import { uname } from '../harness/probes/uname.ts';
import { fruixBudgets } from './fruix-budgets.ts';
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
    guileModuleFiles,
    shepherdConfig,
    staleCaches,
    processPrefixes,
    shepherdServices,
    bakedPrefixStrings,
    uname,
  ],
  budgets: fruixBudgets['freebsd-init+rc.d-shepherd'],
  boots: 1,
  reboot: 'shutdown -r now',
  paths: fruixPaths,
};
