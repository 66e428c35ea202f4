/** What of a stored run is compared, section by section, as names with values. Pure. */
import type { StageRecord } from '../budgets.ts';
import type { NamedObject } from '../model.ts';
import type { StoredRun } from '../stored/stored-run.ts';
import { toldFacts, type Values, waySeen } from './told-facts.ts';

export const SECTIONS = ['verdict', 'checks', 'image', 'versions', 'asked', 'lab', 'facts', 'timeline'] as const;
export type SectionName = (typeof SECTIONS)[number];

/** Values by name; what the run does not say is left out. */
export type Side = Readonly<Record<SectionName, Values>>;

type Rows = Readonly<Record<string, string | number | boolean | null | undefined>>;

function values(rows: Rows): Values {
  const known = Object.entries(rows).filter(([, value]) => value !== null && value !== undefined);
  return new Map(known.map(([name, value]) => [name, String(value)]));
}

export function sideOf(run: StoredRun): Side {
  return {
    verdict: verdict(run),
    checks: checks(run),
    image: image(run),
    versions: versions(run),
    asked: asked(run),
    lab: lab(run),
    facts: toldFacts(run),
    timeline: timeline(run),
  };
}

function verdict(run: StoredRun): Values {
  const { status, cause, exitCode, result } = run.report;
  const told = values({
    ...{ status, exit_code: exitCode, fault: cause?.code ?? 'none', fault_party: cause?.party ?? 'none' },
    guest_identity: result?.guestIdentity,
    image_identity: result?.imageIdentity,
    left_in_the_lab: result?.leaked.length,
  });
  return new Map([...told, ...waySeen(run)]);
}

function checks({ report }: StoredRun): Values {
  return new Map(
    report.checks.map(({ name, outcome, actual, expected, reason }) => {
      const why = outcome === 'held' ? '' : `, expected ${expected}${reason === '' ? '' : ` (${reason})`}`;
      return [name, outcome === 'unobserved' ? `unobserved${why}` : `${outcome}: ${actual}${why}`];
    }),
  );
}

function image({ report }: StoredRun): Values {
  const { image: is, lint, expectedClosure } = report;
  const found = (lint ?? []).flatMap(({ name, status, seen }) =>
    status === 'ok' ? [] : [`${status} ${name}: ${seen}`],
  );
  return values({
    ...{ sha256: is?.sha256, path: is?.path, format: is?.format, bytes: is?.sizeBytes },
    // Before metadata alone tells it, no block was counted.
    blocks: is === null || is.nonZeroBlocks === 0 ? null : is.nonZeroBlocks,
    disk_guid: is?.identity?.diskGuid,
    starts_by: is === null || report.schema === 0 ? null : is.startsBy.join(', ') || 'nothing',
    expected_closure: expectedClosure ?? 'not named',
    lint: lint === null ? null : found.join('; ') || 'ok',
  });
}

function versions({ report }: StoredRun): Values {
  const { scenario, scenarioSha256, harnessVersion, node, asked: is, schema } = report;
  return values({
    ...{ scenario, scenario_sha256: scenarioSha256, harness: harnessVersion, xo: report.lab.xoVersion },
    ...{ node, platform: is?.platform, schema },
  });
}

function asked({ report }: StoredRun): Values {
  const { asked: is, boots, budgetScale, bootMode } = report;
  const named = (prefix: string, rows: object): [string, string][] =>
    Object.entries(rows).map(([key, value]) => [
      `${prefix}${key}`,
      Array.isArray(value) ? value.join(':') : typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]);
  return new Map([
    ...values({ boot_mode: bootMode, boots, budget_scale: budgetScale, time_limit_s: is?.timeLimitS }),
    ...values({ control: is === null ? null : (is.controlPath ?? 'none'), read_back: is?.readBack }),
    ...named('--', is?.options ?? {}),
    ...named('budget ', is?.budgets ?? {}),
    ...named('path ', is?.facts?.paths ?? {}),
    ...values({ probes: is?.probes.join(' ') }),
  ]);
}

function lab({ report }: StoredRun): Values {
  const { lab: is, tls, result, asked: call } = report;
  const placed = result?.placed;
  const named = (object: NamedObject | null | undefined): string | null | undefined =>
    object === null ? 'none' : object && `${object.name} (${object.uuid})`;
  return new Map([
    ...values({ ...{ name: is.name, kind: is.kind, tls, url: call?.labUrl, file: call?.labFile } }),
    ...values({ pool: named(placed?.pool), host: named(placed?.host), sr: named(placed?.sr) }),
    ...values({ network: named(placed?.network), template: named(placed?.template), firmware: placed?.firmware }),
    ...values({ memory_mib: placed?.memoryMiB, cpus: placed?.cpus, nic: placed?.nic }),
    ...values({ address_from: result?.addressSource, address: result?.guestAddress, vm: result?.vm }),
    ...values({ import: result?.imported?.path, cache: result?.imported?.cache, reconnects: is.reconnects }),
    ...values(result?.records ?? {}),
  ]);
}

function timeline({ report }: StoredRun): Values {
  const key = ({ stage, guest, boot }: StageRecord): string =>
    `${guest === 'control' ? 'control ' : ''}${stage}${boot > 1 ? `@boot${boot}` : ''}`;
  const seconds = new Map<string, number>();
  const budgets = new Map<string, number | null>();
  for (const record of report.result?.timeline ?? []) {
    const name = key(record);
    seconds.set(name, (seconds.get(name) ?? 0) + record.seconds);
    budgets.set(name, record.budgetS);
  }
  const of = (name: string): string => {
    const budget = budgets.get(name);
    return budget === null || budget === undefined ? '' : ` of ${budget}`;
  };
  const rows = [...seconds].map(([name, spent]): [string, string] => [name, `${spent.toFixed(1)}${of(name)} s`]);
  return new Map([...rows, ['all', `${report.seconds.toFixed(1)} s`]]);
}
