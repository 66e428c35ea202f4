/**
 * Every call of the harness, seen leaving it, against the recorded schemas of a real xo-server, and every request
 * against what is recorded of its HTTP side. Also where that server would take anything (`vm.create` ignores what it
 * does not know): a misspelt parameter is no error there, and one here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import t from 'tap';
import { Fault } from '../../harness/faults/faults.ts';
import { openSession } from '../../harness/xcpng/session.ts';
import { openTestLab, type RecordedCall, within } from '../harness/xcpng/test-lab.ts';
import { type RecordedRequest, recordHarness } from './harness-calls.ts';

type Schema = Readonly<Record<string, unknown>>;
interface Method {
  readonly params?: Readonly<Record<string, Schema>>;
}

const SOURCES = new URL('../../harness/xcpng/', import.meta.url);
const methods = JSON.parse(
  readFileSync(new URL('../../lab/contract/methods.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Method>>;
const ajv = new Ajv({ strict: false, allowUnionTypes: true });

/** In no schema, but seen to work: the recorded run made a VM with `tags`, and its object shows them. */
const SEEN_TO_WORK: Readonly<Record<string, Schema>> = { tags: { type: 'array', items: { type: 'string' } } };

/** Recorded schemas mark a property `optional` where the standard lists the others as `required`. */
function standard(schema: Schema): Schema {
  const { optional: _optional, items, properties, ...own } = schema;
  const declared = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>);
  const needed = declared.filter(([name, each]) => name !== '*' && each.optional !== true && !('default' in each));
  return {
    ...own,
    ...(items === undefined ? {} : { items: standard(items as Schema) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(declared.map(([name, each]) => [name, standard(each)])),
          required: needed.map(([name]) => name),
          additionalProperties: false,
        }),
  };
}

/** Everything that is wrong with a call; empty: xo-server takes it, and uses all of it. */
function wrongs({ method, params }: RecordedCall): readonly string[] {
  const declared = methods[method]?.params;
  if (methods[method] === undefined) return [`${method}: xo-server has no such method`];
  // `vm.create` hands what it does not declare to what `vm.set` does, which ignores the rest.
  const behind = declared?.['*'] === undefined ? undefined : { ...methods['vm.set']?.params, ...SEEN_TO_WORK };
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    const schema = declared?.[name] ?? behind?.[name];
    if (schema === undefined) {
      wrong.push(`${method}: ${name} is not declared`);
      continue;
    }
    const validate = ajv.compile(standard(schema));
    if (!validate(value)) wrong.push(`${method}: ${name}: ${ajv.errorsText(validate.errors)}`);
    if (value === '' && schema.minLength === undefined) wrong.push(`${method}: ${name} is empty`);
  }
  for (const [name, schema] of Object.entries(declared ?? {})) {
    const needed = name !== '*' && schema.optional !== true && schema.default === undefined;
    if (needed && !(name in params)) wrong.push(`${method}: ${name} is missing`);
  }
  return wrong;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const LENGTH = /^[1-9]\d*$/;
/** What is recorded of the HTTP side: method and path → the query's keys, and what the headers must look like. */
const ROUTES: Readonly<Record<string, { readonly query?: readonly string[]; readonly headers: object }>> = {
  'HEAD /': { headers: {} },
  'POST /rest/v0/srs/ID/vdis': {
    query: ['name_label', 'name_description'],
    // Chunked is a 500, and so is the content type that curl would choose.
    headers: { 'content-length': LENGTH, 'content-type': 'application/octet-stream', cookie: /^authenticationToken=/ },
  },
  // The doctor asks whether the path is there: refused with 422 before anything is made.
  'POST /rest/v0/srs/ID/vdis?raw': { query: ['raw'], headers: { cookie: /^authenticationToken=/ } },
  'PUT /rest/v0/vdis/ID.vhd': {
    headers: { 'content-length': LENGTH, 'content-type': 'application/octet-stream', cookie: /^authenticationToken=/ },
  },
  // Otherwise xo-server compresses on the fly, at a fifth of the speed.
  'GET /rest/v0/vdis/ID.raw': { headers: { 'accept-encoding': 'identity', cookie: /^authenticationToken=/ } },
  // The path that disk.import gives is the permission.
  'POST /api/TOKEN': {
    headers: { 'content-length': LENGTH, 'content-type': /^multipart\/form-data; boundary=/, cookie: undefined },
  },
  // The one extension of the embedded lab, outside of XO's paths.
  'GET /embedded/v0/vms/ID/serial': { headers: {} },
};

function routeOf({ method, path }: RecordedRequest): { readonly route: string; readonly query: readonly string[] } {
  const { pathname, searchParams } = new URL(path, 'http://xo');
  const plain = pathname.replace(UUID, 'ID').replace(/^\/api\/[\w-]+$/, '/api/TOKEN');
  const query = [...searchParams.keys()];
  return { route: `${method} ${plain}${query.join() === 'raw' ? '?raw' : ''}`, query };
}

/** The methods that stand in the sources of the harness. */
function methodsInSources(): readonly string[] {
  const namespaces = new Set(Object.keys(methods).map((method) => method.slice(0, method.indexOf('.'))));
  const found = new Set<string>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(new URL(file, SOURCES), 'utf8');
    for (const [, method = ''] of text.matchAll(/'([a-z]+\.[a-z][a-zA-Z]+)'/g)) {
      if (namespaces.has(method.slice(0, method.indexOf('.')))) found.add(method);
    }
  }
  found.delete('session.signIn'); // xo-lib's own
  return [...found].sort();
}

const { calls, requests } = await recordHarness();

t.test('every call fits the recorded schema', async (t) => {
  t.same(
    calls.flatMap((call) => wrongs(call)),
    [],
  );
  const seen = new Set(calls.map(({ method }) => method));
  t.same(
    methodsInSources().filter((method) => !seen.has(method)),
    [],
    'and every method that stands in the sources was called',
  );
});

t.test('what is ordered of a guest goes where it binds', async (t) => {
  const [, host] = calls.flatMap(({ method, params }) => (method === 'vm.start' ? [params.host] : []));
  t.type(host, 'string');
  const created = calls.filter(({ method, params }) => method === 'vm.create' && params.affinityHost === host);
  t.match(created, [{ params: { nicType: 'e1000', hvmBootFirmware: 'uefi', CPUs: 1, cpusMax: 1, memory: 2 ** 29 } }]);
});

t.test('every request is one that is recorded, and its headers are those that work', async (t) => {
  const seen = new Set<string>();
  for (const request of requests) {
    const { route, query } = routeOf(request);
    const known = ROUTES[route];
    if (known === undefined) {
      t.fail(`nothing recorded of ${route}`);
      continue;
    }
    if (!seen.has(route)) t.match(request.headers, known.headers, route);
    t.same(query, known.query ?? [], `the query of ${route}`);
    seen.add(route);
  }
  t.same([...seen].sort(), Object.keys(ROUTES).sort(), 'each of them was asked');
});

t.test('the judge says no', async (t) => {
  t.same(wrongs({ method: 'vm.frobnicate', params: {} }), ['vm.frobnicate: xo-server has no such method']);
  t.same(wrongs({ method: 'vm.start', params: {} }), ['vm.start: id is missing']);
  t.same(wrongs({ method: 'vm.start', params: { id: '' } }), ['vm.start: id is empty']);
  t.match(wrongs({ method: 'vm.start', params: { id: 7 } }), [/vm\.start: id: data must be string/]);
  const misspelt = { method: 'vm.create', params: { name_label: 'x', template: 'y', hvmBootfirmware: 'bios' } };
  t.same(wrongs(misspelt), ['vm.create: hvmBootfirmware is not declared']);
  const inside = { method: 'vm.create', params: { name_label: 'x', template: 'y', VIFs: [{ netwrok: 'z' }] } };
  t.match(wrongs(inside), [/vm\.create: VIFs: .*(must have required property 'network'|additional properties)/]);
});

t.test('the endpoint refuses what the schema refuses', async (t) => {
  const world = await openTestLab();
  t.teardown(() => world.close());
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  const refused = await session.call('vm.start', {}, within(2_000)).catch((error: unknown) => error);
  t.ok(refused instanceof Fault && /invalid parameters/.test(refused.message));
});
