/** The two phases as data: names, modes, and the checks in the order that the old harness printed. */
import t from 'tap';
import type { Observation, Scenario } from '../../harness/model.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../../scenarios/phase11-shepherd-pid1-xcpng.ts';

const blind: Observation = { state: 'unseen', reason: 'nothing was looked at' };
const keys = ({ probes, bootMode, paths }: Scenario): readonly string[] =>
  probes.flatMap((probe) => probe.expect(blind, { bootMode, paths, expectedClosure: null }).map(({ name }) => name));

/** The seed's own keys come first, in the order that it printed them in; `uname` closes the list. */
const RUNTIME = [
  ...['guile_module_file_fibers_config', 'guile_module_file_gnutls', 'guile_module_file_shepherd_config'],
  ...['shepherd_config_prefix_dir', 'shepherd_config_localstatedir', 'shepherd_config_runstatedir'],
  ...['shepherd_config_sysconfdir', 'shepherd_config_localedir', 'shepherd_config_pkglibdir'],
  ...['stale_cache_fibers_config', 'stale_cache_gnutls', 'stale_cache_shepherd_config'],
  ...['process_prefixes', 'shepherd_services', 'baked_prefix_strings'],
];

t.test('phase 9', async (t) => {
  t.equal(phase9XcpngBoot.name, 'phase9-xcpng-boot');
  t.equal(phase9XcpngBoot.bootMode, 'freebsd-init+rc.d-shepherd');
  t.strictSame(keys(phase9XcpngBoot), [
    ...['compat_prefix_shims', 'guile_module_smoke', 'ready_marker', 'shepherd_status', 'sshd_status'],
    ...['run_current_system_target', 'shepherd_pid', 'shepherd_socket', 'init_mode', 'pid1_command'],
    ...[...RUNTIME, 'uname_output'],
  ]);
});

t.test('phase 11', async (t) => {
  t.equal(phase11ShepherdPid1Xcpng.name, 'phase11-shepherd-pid1-xcpng');
  t.equal(phase11ShepherdPid1Xcpng.bootMode, 'shepherd-pid1');
  t.strictSame(keys(phase11ShepherdPid1Xcpng), [
    ...['compat_prefix_shims', 'guile_module_smoke', 'ready_marker', 'shepherd_pid', 'shepherd_status', 'sshd_status'],
    ...['run_current_system_target', 'init_mode', 'pid1_command', 'shepherd_socket', ...RUNTIME, 'uname_output'],
  ]);
});

t.test('a probe is named once, and looks at what can still change twice', async (t) => {
  for (const { probes } of [phase9XcpngBoot, phase11ShepherdPid1Xcpng]) {
    t.equal(new Set(probes.map(({ name }) => name)).size, probes.length);
    t.strictSame(
      probes.filter(({ look }) => look === 'twice').map(({ name }) => name),
      ['compat-prefix-shims'],
    );
    t.strictSame(
      probes.filter(({ look }) => look === 'awaited').map(({ name }) => name),
      ['ready-marker'],
    );
  }
});
