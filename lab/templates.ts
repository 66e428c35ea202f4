/** The templates of the lab's pool: the default "Other install media" and one that a user made, as recorded. */
import { randomUUID } from 'node:crypto';
import { newIdentity, type VmRecord } from './inventory.ts';

const MIB = 2 ** 20;
const STATIC_MIN = 128 * MIB;

function template(
  own: Pick<VmRecord, 'nameLabel' | 'nameDescription' | 'isDefaultTemplate' | 'firmware' | 'tags' | 'other'> & {
    readonly memoryMib: number;
    readonly cpus: number;
  },
): VmRecord {
  const memory = own.memoryMib * MIB;
  return {
    ...newIdentity(),
    kind: 'template',
    isDefaultTemplate: own.isDefaultTemplate,
    nameLabel: own.nameLabel,
    nameDescription: own.nameDescription,
    powerState: 'Halted',
    operations: new Map(),
    memory: { staticMin: STATIC_MIN, dynamicMin: memory, dynamicMax: memory, staticMax: memory },
    cpus: { max: own.cpus, number: own.cpus },
    bootOrder: 'cdn',
    firmware: own.firmware,
    platform: {
      coresPerSocket: 1,
      nestedVirt: false,
      nicType: undefined,
      secureBoot: false,
      vga: 'std',
      videoram: 8,
      viridian: false,
    },
    other: { ...own.other, mac_seed: randomUUID() },
    tags: own.tags,
    blockedOperations: {},
    affinityHost: undefined,
    highAvailability: '',
    startDelay: 0,
    hasVendorDevice: false,
    xenStoreData: {},
    creation: undefined,
    startTime: null,
    reportedAddress: null,
    snapshot: undefined,
  };
}

/**
 * Fresh identities at each call.
 * @param otherDefault the default template is not "Other install media"
 */
export function poolTemplates(otherDefault = false): VmRecord[] {
  return [
    template({
      nameLabel: otherDefault ? 'Embedded default template' : 'Other install media',
      nameDescription: 'Template which allows VM installation from install media',
      isDefaultTemplate: true,
      firmware: 'bios',
      memoryMib: 1024,
      cpus: 1,
      tags: [],
      other: {
        default_template: 'true',
        'install-methods': 'cdrom',
        disks: '<provision><disk device="0" size="8589934592" sr="" bootable="false" type="system"/></provision>',
      },
    }),
    template({
      nameLabel: 'Embedded custom template',
      nameDescription: 'a template made by a user: no disk, UEFI',
      isDefaultTemplate: false,
      firmware: 'uefi',
      memoryMib: 2048,
      cpus: 2,
      tags: ['embedded'],
      other: {},
    }),
  ];
}
