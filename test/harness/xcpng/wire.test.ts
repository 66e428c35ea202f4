/** The recorded objects of a real xo-server are read without loss of what we want of them. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { PARSERS, parseClaimable, type WireType } from '../../../harness/xcpng/wire.ts';

type Raw = Readonly<Record<string, unknown>>;
const recorded = JSON.parse(
  readFileSync(new URL('../../contract/recorded/objects.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Raw>>;

function raw(name: string): Raw {
  const found = recorded[name];
  if (found === undefined) throw new Error(`no recorded object named ${name}`);
  return found;
}

const isType = (type: unknown): type is WireType => typeof type === 'string' && type in PARSERS;

t.test('every recorded object of a type that we read', async (t) => {
  const read: string[] = [];
  for (const [name, object] of Object.entries(recorded)) {
    if (typeof object !== 'object' || !isType(object.type)) continue;
    t.doesNotThrow(() => PARSERS[object.type as WireType](String(object.id), object), name);
    read.push(object.type);
  }
  t.same([...new Set(read)].sort(), Object.keys(PARSERS).sort(), 'none of our types is missing in the recording');
});

t.test('what we want of them', async (t) => {
  const halted = raw('VM (halted, before its first start)');
  t.match(PARSERS.VM(String(halted.id), halted), {
    ...{ type: 'VM', name: 'demo', powerState: 'Halted', tags: ['harness', 'extra'] },
    ...{ addresses: {}, mainIpAddress: null, startTime: null },
  });
  const tools = raw('VM (running, with guest tools)');
  t.match(PARSERS.VM(String(tools.id), tools), {
    ...{ powerState: 'Running', mainIpAddress: '198.51.100.7', startTime: 1795381646 },
    addresses: { '0/ipv4/0': '198.51.100.7', '0/ipv6/0': '2001:db8::7' },
  });
  const template = raw('VM-template (default)');
  const parsed = PARSERS['VM-template'](String(template.id), template);
  t.equal(parsed.id, `${parsed.pool}-${parsed.uuid}`, 'the id of a default template is not its uuid');
  t.equal(parsed.isDefault, true);
  t.equal(parseClaimable(String(template.id), template).type, 'VM-template', 'a VM that is still being cloned');
  const vif = raw('VIF (running)');
  t.match(PARSERS.VIF(String(vif.id), vif), { mac: '02:00:00:00:aa:01', device: '0' });
  const vdi = raw('VDI (attached, halted)');
  t.match(PARSERS.VDI(String(vdi.id), vdi), { name: 'boot disk', sizeBytes: 67108864, description: '' });
  const pool = raw('pool');
  t.equal(PARSERS.pool(String(pool.id), pool).defaultSr, pool.default_SR);
  const sr = raw('SR');
  t.match(PARSERS.SR(String(sr.id), sr), {
    ...{ contentType: 'user', srType: 'file', sizeBytes: 270553174016, usedBytes: 0 },
    ...{ thick: false, shared: false, inMaintenance: false },
  });
  const host = raw('host');
  const memory = { sizeBytes: 17179869184, usedBytes: 1717986919 };
  t.match(PARSERS.host(String(host.id), host), { name: 'sim-host', enabled: true, running: true, memory });
  const pbd = raw('PBD');
  t.match(PARSERS.PBD(String(pbd.id), pbd), { host: host.id, sr: sr.id, attached: true });
  t.match(parsed, { firmware: 'bios', virtualizationMode: 'hvm', memoryMinBytes: 2 ** 27, viridian: false });
  t.equal(PARSERS.VM(String(tools.id), tools).container, host.id, 'where it runs');
});
