/**
 * A summary as JUnit XML, in the dialect that Jenkins, GitLab, Forgejo's and GitHub's actions read (the schema
 * `junit-10.xsd` of Jenkins' xUnit plugin): a suite per case, a test per check. What the image did is a `failure`,
 * what says nothing about it an `error`.
 */
import { type CaseSummary, knownText, type Point, pointsOf, type Remark, type Summary } from '../summary.ts';
import { type Element, element, xmlText } from './xml.ts';

const ELEMENTS = { failed: 'failure', error: 'error', known: 'skipped', skipped: 'skipped' } as const;

function testcase({ name, scenario, image, lab }: CaseSummary, point: Point): Element {
  // Dots would be taken for packages by some readers.
  const classname = [scenario, image, lab].map((part) => part.replaceAll('.', '_')).join('.');
  const { state, message, type, text } = point;
  const marks = state === 'held' ? [] : [element(ELEMENTS[state], { type, message }, text || message)];
  return element('testcase', { classname: classname || name, name: point.name }, marks);
}

const count = (points: readonly Point[], ...states: readonly Point['state'][]): number =>
  points.filter(({ state }) => states.includes(state)).length;

const counts = (points: readonly Point[]): Record<'tests' | 'failures' | 'errors', number> => ({
  tests: points.length,
  failures: count(points, 'failed'),
  errors: count(points, 'error'),
});

function properties(of: CaseSummary): Element {
  const values: Readonly<Record<string, string>> = {
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

function suite(of: CaseSummary, id: number): Element {
  const points = pointsOf(of);
  const attributes = {
    name: of.name,
    ...counts(points),
    skipped: count(points, 'known', 'skipped'),
    time: of.seconds.toFixed(3),
    timestamp: of.startedAt.replace(/\.\d+Z$/, ''),
    id,
  };
  const retried = of.retried.map(
    ({ cause, seconds, workdir }, index) =>
      `attempt ${index + 1}: ${cause.code}: ${cause.message} (${seconds.toFixed(1)} s, ${workdir ?? 'no workdir'})`,
  );
  return element('testsuite', attributes, [
    properties(of),
    ...points.map((point) => testcase(of, point)),
    ...(retried.length === 0 ? [] : [element('system-out', {}, retried.join('\n'))]),
  ]);
}

const remarked = (all: Summary['remarks'], wanted: Remark['level']): number =>
  all.filter(({ level }) => level === wanted).length;

/** Remarks that fail a night are tests of their own, so that no reader overlooks them. */
function remarks({ title, remarks: all, startedAt }: Summary, id: number): readonly Element[] {
  if (all.length === 0) return [];
  const tests = all.map(({ level, text }, index) => {
    const mark =
      level === 'warning'
        ? element('system-out', {}, text)
        : element(level === 'lost' ? 'error' : 'failure', { type: 'REMARK', message: text }, text);
    return element('testcase', { classname: title, name: `remark ${index + 1}` }, [mark]);
  });
  const [failures, errors] = [remarked(all, 'failure'), remarked(all, 'lost')];
  const timestamp = startedAt.replace(/\.\d+Z$/, '');
  const attributes = { name: `${title}: remarks`, tests: all.length, failures, errors, skipped: 0, timestamp, id };
  return [element('testsuite', attributes, tests)];
}

export function junitText(summary: Summary): string {
  const points = summary.cases.flatMap(pointsOf);
  const { tests, failures, errors } = counts(points);
  const root = element(
    'testsuites',
    {
      name: summary.title,
      tests: tests + summary.remarks.length,
      failures: failures + remarked(summary.remarks, 'failure'),
      errors: errors + remarked(summary.remarks, 'lost'),
      time: summary.seconds.toFixed(3),
    },
    [...summary.cases.map(suite), ...remarks(summary, summary.cases.length)],
  );
  return xmlText(root);
}
