/** Phase 11: Shepherd itself is PID 1; the guest must do without the /tmp prefix aliases. */
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

export const phase11ShepherdPid1Xcpng: Scenario = {
  name: 'phase11-shepherd-pid1-xcpng',
  summary: 'boots with Shepherd as PID 1, without /tmp prefix shims',
  bootMode: 'shepherd-pid1',
  // The first six in the order of the metadata that this phase has always printed.
  probes: [
    compatPrefixShims,
    guileModuleSmoke,
    readyMarker,
    shepherdPid,
    shepherdStatus,
    sshdStatus,
    currentSystem,
    pid1,
    shepherdSocket,
    guileModuleFiles,
    shepherdConfig,
    staleCaches,
    processPrefixes,
    shepherdServices,
    bakedPrefixStrings,
    uname,
  ],
  budgets: fruixBudgets['shepherd-pid1'],
  boots: 1,
  // What FreeBSD's shutdown -r does: Shepherd as PID 1 stops its services at SIGINT, and reboots.
  reboot: 'kill -INT 1',
  paths: fruixPaths,
};
