/** What was asked of a stored run (`asked` of its `result.json`), checked. Pure. */

import type { BootBudgets } from '../budgets.ts';
import { BOOT_MODES, type CaseFacts, type Firmware, type GuestPaths } from '../model.ts';
import type { Asked } from '../options/asked.ts';
import { PATH_TABLE } from '../options/path-table.ts';
import { type JsonReader, number, text } from './json-reader.ts';

/** Places that a version of then did not know are left out. */
export interface StoredFacts extends Omit<CaseFacts, 'paths'> {
  readonly paths: Partial<GuestPaths>;
}

export interface StoredAsked extends Omit<Asked, 'facts'> {
  readonly facts: StoredFacts | null;
}

/** @throws Fault BAD_STORED_RUN */
export function asked(read: JsonReader): StoredAsked {
  return {
    options: read.object('options').every(text),
    ...{ folder: read.text('folder'), platform: read.text('platform'), probes: read.texts('probes') },
    ...{ labFile: read.orNull('labFile', text), labUrl: read.orNull('labUrl', text) },
    controlPath: read.orNull('controlPath', text),
    readBack: read.oneOf('readBack', ['auto', 'always'] as const),
    timeLimitS: read.orNull('timeLimitS', number),
    budgets: budgets(read.object('budgets')),
    facts: read.orNull('facts', () => facts(read.object('facts'))),
  };
}

function budgets(read: JsonReader): Asked['budgets'] {
  const of = (name: string): number => read.number(name);
  const boot = (firmware: Firmware): BootBudgets => {
    const each = read.object('boot').object(firmware);
    const [firmwareS, kernelS] = [each.number('firmwareS'), each.number('kernelS')];
    return { firmwareS, kernelS, servicesS: each.number('servicesS'), sshS: each.number('sshS') };
  };
  return {
    ...{ planS: of('planS'), createS: of('createS'), uploadS: of('uploadS'), attachS: of('attachS') },
    boot: { bios: boot('bios'), uefi: boot('uefi') },
    ...{ readyS: of('readyS'), probeS: of('probeS'), probesS: of('probesS') },
    ...{ rebootS: of('rebootS'), disposeS: of('disposeS') },
  };
}

function facts(read: JsonReader): StoredFacts {
  const paths = read.object('paths');
  const known = PATH_TABLE.filter(({ name }) => paths.has(name)).map(({ name, list }) => [
    name,
    list ? paths.texts(name) : paths.text(name),
  ]);
  return {
    bootMode: read.oneOf('bootMode', BOOT_MODES),
    paths: Object.fromEntries(known) as Partial<GuestPaths>,
    expectedClosure: read.orNull('expectedClosure', text),
  };
}
