/**
 * Every probe on every observation that was recorded or written for it, judged to the letter. The
 * coverage table says which outcomes each probe must have been seen to give.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { BootMode, Check, CommandRecord, Observation } from '../../../harness/model.ts';
import { unframe } from '../../../harness/probes/frame.ts';
import { fruixPaths } from '../../../scenarios/fruix-paths.ts';
import { phase9XcpngBoot } from '../../../scenarios/phase9-xcpng-boot.ts';
import { NONCE } from './scripts.ts';

interface Recorded {
  readonly source: 'recorded on the reference guest' | 'from documentation' | 'synthetic';
  readonly describes: string;
  readonly bootMode: BootMode;
  readonly expectedClosure: string | null;
  readonly record?: Partial<CommandRecord>;
  readonly observation?: Observation;
  readonly checks: readonly Check[];
}

const SOURCES = ['recorded on the reference guest', 'from documentation', 'synthetic'];
/** These count, and blame nobody. */
const MEASURED = ['baked-prefix-strings'];
const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));

function observed(name: string, { record, observation }: Recorded): Observation {
  if (observation !== undefined) return observation;
  const quiet = { stdout: '', stderr: '', exit: 0, signal: null, truncated: false, timedOut: false, transport: null };
  return unframe({ name, script: '', startedAtMs: 0, durationMs: 0, ...quiet, ...record }, NONCE);
}

for (const probe of phase9XcpngBoot.probes) {
  t.test(probe.name, async (t) => {
    const outcomes = new Set<string>();
    const sources = new Set<string>();
    for (const file of readdirSync(`${fixtures}${probe.name}`)) {
      const recorded: Recorded = JSON.parse(readFileSync(`${fixtures}${probe.name}/${file}`, 'utf8'));
      t.ok(SOURCES.includes(recorded.source), `${file} names its source`);
      const { bootMode, expectedClosure } = recorded;
      const checks = probe.expect(observed(probe.name, recorded), { bootMode, expectedClosure, paths: fruixPaths });
      t.strictSame(checks, recorded.checks, `${file}: ${recorded.describes}`);
      for (const { outcome } of checks) outcomes.add(outcome);
      sources.add(recorded.source);
    }
    const all = MEASURED.includes(probe.name) ? ['held', 'unobserved'] : ['failed', 'held', 'unobserved'];
    t.strictSame([...outcomes].sort(), all, 'has said each that it can say, and no other');
    t.ok(sources.has('recorded on the reference guest') && sources.has('from documentation'));
  });
}

t.test('without anything to look for nothing is absent', async (t) => {
  const about = { bootMode: phase9XcpngBoot.bootMode, expectedClosure: null };
  const seen: Observation = { state: 'seen', facts: { probe: 'x' } };
  const paths = { ...fruixPaths, shimPrefixes: [], shepherdSocket: [], shepherdConfig: [] };
  const names = ['compat-prefix-shims', 'shepherd-socket', 'shepherd-config', 'stale-caches', 'process-prefixes'];
  for (const name of [...names, 'baked-prefix-strings']) {
    const probe = phase9XcpngBoot.probes.find((probe) => probe.name === name);
    t.equal(probe?.expect(seen, { ...about, paths })[0].outcome, 'unobserved', name);
  }
});
