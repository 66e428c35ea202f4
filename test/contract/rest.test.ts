/** Recorded: REST's credentials, routes and errors. */
import t from 'tap';
import { recordedForm } from './http.ts';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, recorded } from './recorded.ts';

interface Listed {
  readonly id: string;
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

t.test('credentials, and what an administrator must not do', async (t) => {
  const { rest, token, template, xo } = await testEndpoint(t);
  const of = 'delete of a default template';
  const refused = await rest(`/rest/v0/vm-templates/${(await template()).id}`, { method: 'DELETE' });
  t.strictSame(masked({ result: recordedForm(refused) }), recorded('REST', of), of);
  const as = (authorization: string) => rest('/rest/v0/vms', { headers: { cookie: '', authorization } });
  t.equal((await as(basic('admin', 'right'))).status, 200);
  t.equal((await as(basic('admin', 'wrong'))).status, 401);
  await xo.call('token.deleteOwn', { tokens: [token] });
  t.equal((await rest('/rest/v0/vms')).status, 401, 'a token that was deleted');
});

everywhere('REST', async (t, { rest, the, makeVm, until, name }) => {
  const trials: readonly (readonly [string, string, object])[] = [
    ['no credentials', '/rest/v0/vms', { headers: { cookie: '' } }],
    ['wrong token', '/rest/v0/vms', { headers: { cookie: 'authenticationToken=x' } }],
    ['two credentials', '/rest/v0/vms', { headers: { authorization: basic('nobody', 'x') } }],
    ['unknown id', `/rest/v0/vms/${NOBODY}`, {}],
    ['unknown route', '/rest/v0/nothing', {}],
  ];
  for (const [what, path, asked] of trials) {
    const answer = recordedForm(await rest(path, asked));
    t.strictSame(masked({ result: answer }), recorded('REST', what), what);
  }
  const { vm } = await makeVm('rest demo');
  const list = async (path: string) => JSON.parse((await rest(path)).body.toString()) as unknown[];
  const href = `/rest/v0/vms/${vm}`;
  const halted = (await list('/rest/v0/vms?fields=id,name_label,power_state&filter=power_state:halted')) as Listed[];
  const own = { id: vm, name_label: name('rest demo'), power_state: 'Halted', href };
  t.strictSame(
    halted.filter(({ id }) => id === vm),
    [own],
  );
  t.ok((await list('/rest/v0/vms')).includes(href));
  t.notOk((await list('/rest/v0/vms?filter=power_state:Running')).includes(href));
  t.strictSame(JSON.parse((await rest(href)).body.toString()), await the({ id: vm }), 'the same object as over RPC');
  t.equal((await rest(href, { method: 'DELETE' })).status, 204);
  await until({ id: vm }, (found) => found.length === 0);
});

t.test('search syntax that is not here is refused', async (t) => {
  const { rest } = await testEndpoint(t);
  t.match(await rest('/rest/v0/vms?filter=(a|b)'), { status: 500 });
});

t.test('limited users', async (t) => {
  const { rest } = await testEndpoint(t);
  const authorization = `Basic ${Buffer.from('limited:right').toString('base64')}`;
  t.equal((await rest('/rest/v0/vms', { headers: { cookie: '', authorization } })).status, 403);
});
