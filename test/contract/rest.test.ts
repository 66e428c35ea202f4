/** Recorded: REST's credentials, routes and errors. */
import t from 'tap';
import { recordedForm } from './http.ts';
import { testEndpoint } from './open-endpoint.ts';
import { masked, recorded } from './recorded.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

t.test('REST', async (t) => {
  const { rest, token, the, makeVm, xo, until } = await testEndpoint(t);
  const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  const { isDefaultTemplate, ...template } = await the({ isDefaultTemplate: true });
  t.equal(isDefaultTemplate, true);
  const trials: readonly (readonly [string, string, object])[] = [
    ['no credentials', '/rest/v0/vms', { headers: { cookie: '' } }],
    ['wrong token', '/rest/v0/vms', { headers: { cookie: 'authenticationToken=x' } }],
    ['two credentials', '/rest/v0/vms', { headers: { authorization: basic('right') } }],
    ['unknown id', `/rest/v0/vms/${NOBODY}`, {}],
    ['unknown route', '/rest/v0/nothing', {}],
    ['delete of a default template', `/rest/v0/vm-templates/${template.id}`, { method: 'DELETE' }],
  ];
  for (const [name, path, asked] of trials) {
    const answer = recordedForm(await rest(path, asked));
    t.strictSame(masked({ result: answer }), recorded('REST', name), name);
  }
  t.equal((await rest('/rest/v0/vms', { headers: { cookie: '', authorization: basic('right') } })).status, 200);
  t.equal((await rest('/rest/v0/vms', { headers: { cookie: '', authorization: basic('wrong') } })).status, 401);
  const { vm } = await makeVm('rest demo');
  const list = await rest('/rest/v0/vms?fields=id,name_label,power_state&filter=power_state:halted');
  const href = `/rest/v0/vms/${vm}`;
  t.strictSame(JSON.parse(list.body.toString()), [{ id: vm, name_label: 'rest demo', power_state: 'Halted', href }]);
  t.strictSame(JSON.parse((await rest('/rest/v0/vms')).body.toString()), [href]);
  t.strictSame(JSON.parse((await rest('/rest/v0/vms?filter=power_state:Running')).body.toString()), []);
  t.strictSame(JSON.parse((await rest(href)).body.toString()), await the({ id: vm }), 'the same object as over RPC');
  t.match(await rest(`/rest/v0/vms?filter=(a|b)`), { status: 500 }, 'search syntax that is not here is refused');
  t.equal((await rest(href, { method: 'DELETE' })).status, 204);
  await until({ id: vm }, (found) => found.length === 0);
  await xo.call('token.deleteOwn', { tokens: [token] });
  t.equal((await rest('/rest/v0/vms')).status, 401, 'a token that was deleted');
});

t.test('limited users', async (t) => {
  const { rest } = await testEndpoint(t);
  const authorization = `Basic ${Buffer.from('limited:right').toString('base64')}`;
  t.equal((await rest('/rest/v0/vms', { headers: { cookie: '', authorization } })).status, 403);
});
