/**
 * Every JSON-RPC call of the harness, seen leaving it, against the recorded schemas of a real xo-server. Also
 * where that server would take anything (`vm.create` ignores what it does not know): a misspelt parameter is no error
 * there, and one here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import t from 'tap';
import { Fault } from '../../harness/faults.ts';
import { Secret } from '../../harness/secrets.ts';
import { openXoLab } from '../../harness/xcpng/lab.ts';
import { openSession } from '../../harness/xcpng/session.ts';
import { ADMIN, openTestLab, type RecordedCall, recordCalls, within } from '../harness/xcpng/test-lab.ts';

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
    // Recorded schemas nest `optional` where the standard has `required`: only the outer layer is judged here.
    const { optional: _optional, items: _items, properties: _properties, ...own } = schema;
    const validate = ajv.compile(own);
    if (!validate(value)) wrong.push(`${method}: ${name}: ${ajv.errorsText(validate.errors)}`);
    if (value === '' && schema.minLength === undefined) wrong.push(`${method}: ${name} is empty`);
  }
  for (const [name, schema] of Object.entries(declared ?? {})) {
    const needed = name !== '*' && schema.optional !== true && schema.default === undefined;
    if (needed && !(name in params)) wrong.push(`${method}: ${name} is missing`);
  }
  return wrong;
}

/** The methods that stand in the sources of the harness. */
function methodsInSources(): readonly string[] {
  const found = new Set<string>();
  for (const file of readdirSync(SOURCES).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(file, SOURCES), 'utf8');
    for (const match of text.matchAll(/'((?:vm|vdi|tag|xo|token|system|disk)\.[a-zA-Z]+)'/g))
      found.add(String(match[1]));
  }
  return [...found].sort();
}

async function everything(): Promise<readonly RecordedCall[]> {
  const world = await openTestLab();
  const recording = recordCalls();
  try {
    const lab = await openXoLab(world.settings, within(5_000));
    const order = world.order();
    const guest = await lab.provision(order);
    await guest.start(within(5_000));
    world.mishaps.set('keep-disk');
    const left = await order.disposals.run(within(10_000));
    if (left.length > 0) throw new Error(left.join('; '));
    await lab.close();
    const credential = { email: ADMIN.email, password: new Secret(ADMIN.password) };
    const options = { url: world.settings.url, tls: world.settings.tls };
    const session = await openSession({ ...options, credential, deadline: within(5_000) });
    await session.call('system.getVersion', {}, within(5_000)); // what keeps a quiet connection open
    await session.close();
    return recording.calls;
  } finally {
    recording.stop();
    await world.close();
  }
}

t.test('every call fits the recorded schema', async (t) => {
  const calls = (await everything()).filter(({ method }) => method !== 'session.signIn');
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

t.test('the judge says no', async (t) => {
  t.same(wrongs({ method: 'vm.frobnicate', params: {} }), ['vm.frobnicate: xo-server has no such method']);
  t.same(wrongs({ method: 'vm.start', params: {} }), ['vm.start: id is missing']);
  t.same(wrongs({ method: 'vm.start', params: { id: '' } }), ['vm.start: id is empty']);
  t.match(wrongs({ method: 'vm.start', params: { id: 7 } }), [/vm\.start: id: data must be string/]);
  const misspelt = { method: 'vm.create', params: { name_label: 'x', template: 'y', hvmBootfirmware: 'bios' } };
  t.same(wrongs(misspelt), ['vm.create: hvmBootfirmware is not declared']);
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
