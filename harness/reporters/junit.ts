/**
 * A summary as JUnit XML: a suite per case, a test per check. What the image did is a `failure`, what says nothing
 * about it an `error`. The dialect is what both schemas that go round accept, that of Apache Ant (`JUnit.xsd` of Windy
 * Road) and that of Jenkins (`junit-10.xsd` of its xUnit plugin): no attributes at the root, all parts of a suite.
 */
import { hostname } from 'node:os';
import { type CaseSummary, knownText, type Point, pointsOf, type Remark, type Summary } from '../report/summary.ts';
import { type Element, element, xmlText } from './xml.ts';

const ELEMENTS = { failed: 'failure', error: 'error', known: 'skipped', skipped: 'skipped' } as const;

/** A check has no time of its own; that of its case is the suite's. */
const UNTIMED = { time: '0.000' };

function testcase({ name, scenario, image, lab }: CaseSummary, point: Point): Element {
  // Dots would be taken for packages by some readers.
  const classname = [scenario, image, lab].map((part) => part.replaceAll('.', '_')).join('.');
  const { state, message, type, text } = point;
  // Ant's schema has no type for what is skipped.
  const why = state === 'known' || state === 'skipped' ? { message } : { type, message };
  const marks = state === 'held' ? [] : [element(ELEMENTS[state], why, text || message)];
  return element('testcase', { classname: classname || name, name: point.name, ...UNTIMED }, marks);
}

const count = (points: readonly Point[], ...states: readonly Point['state'][]): number =>
  points.filter(({ state }) => states.includes(state)).length;

const counts = (points: readonly Point[]): Record<'tests' | 'failures' | 'errors', number> => ({
  tests: points.length,
  failures: count(points, 'failed'),
  errors: count(points, 'error'),
});

function properties(of: CaseSummary, title: string): Element {
  const values: Readonly<Record<string, string>> = {
    report: title,
    status: of.verdict.status,
    scenario: of.scenario,
    image: of.image,
    image_sha256: of.imageSha256 ?? 'none',
    lab: of.lab,
    run_id: of.runId ?? 'none',
    workdir: of.workdir ?? 'none',
    attempts: String(of.retried.length + 1),
    exit_code: String(of.exitCode),
  };
  const pairs = [
    ...Object.entries(values),
    ...of.known.map((note) => [`known_${note.check}`, knownText(note)] as const),
  ];
  return element(
    'properties',
    {},
    pairs.map(([name, value]) => element('property', { name, value })),
  );
}

interface Suite {
  readonly name: string;
  readonly package: string;
  readonly counts: Readonly<Record<'tests' | 'failures' | 'errors' | 'skipped', number>>;
  readonly seconds: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly properties: Element;
  readonly tests: readonly Element[];
  readonly out: string;
}

function suiteElement(of: Suite, id: number): Element {
  const attributes = {
    ...{ name: of.name, package: of.package, ...of.counts, time: of.seconds.toFixed(3) },
    ...{ timestamp: of.startedAt.replace(/\.\d+Z$/, ''), hostname: hostname() || 'localhost', id },
  };
  return element('testsuite', attributes, [
    of.properties,
    ...of.tests,
    ...[element('system-out', {}, of.out), element('system-err', {})],
  ]);
}

function suite(of: CaseSummary, title: string): Suite {
  const points = pointsOf(of);
  const retried = of.retried.map(
    ({ cause, seconds, workdir }, index) =>
      `attempt ${index + 1}: ${cause.code}: ${cause.message} (${seconds.toFixed(1)} s, ${workdir ?? 'no workdir'})`,
  );
  return {
    ...{ name: of.name, package: of.scenario, seconds: of.seconds, startedAt: of.startedAt },
    counts: { ...counts(points), skipped: count(points, 'known', 'skipped') },
    properties: properties(of, title),
    tests: points.map((point) => testcase(of, point)),
    out: retried.join('\n'),
  };
}

const remarked = (all: Summary['remarks'], wanted: Remark['level']): number =>
  all.filter(({ level }) => level === wanted).length;

/** Remarks that fail a night are tests of their own, so that no reader overlooks them. */
function remarks({ title, remarks: all, startedAt }: Summary): readonly Suite[] {
  if (all.length === 0) return [];
  const tests = all.map(({ level, text }, index) => {
    const mark = element(level === 'lost' ? 'error' : 'failure', { type: 'REMARK', message: text }, text);
    const attributes = { classname: title, name: `remark ${index + 1}`, ...UNTIMED };
    return element('testcase', attributes, level === 'warning' ? [] : [mark]);
  });
  const [failures, errors] = [remarked(all, 'failure'), remarked(all, 'lost')];
  return [
    {
      ...{ name: `${title}: remarks`, package: title, seconds: 0, startedAt, tests },
      counts: { tests: all.length, failures, errors, skipped: 0 },
      properties: element('properties', {}),
      out: all.map(({ level, text }, index) => `remark ${index + 1} (${level}): ${text}`).join('\n'),
    },
  ];
}

export function junitText(summary: Summary): string {
  const suites = [...summary.cases.map((of) => suite(of, summary.title)), ...remarks(summary)];
  return xmlText(element('testsuites', {}, suites.map(suiteElement)));
}
