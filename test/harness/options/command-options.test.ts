/** The tables of options: each names an option once, and every command's is among those that variables are read for. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import * as tables from '../../../harness/options/command-options.ts';
import { OPTIONS, type Option } from '../../../harness/options/options.ts';

const { ALL_OPTIONS, ...ofCommands } = tables;
const TABLES: readonly (readonly [string, readonly Option[]])[] = [...Object.entries(ofCommands), ['OPTIONS', OPTIONS]];
const namesOf = (options: readonly Option[]) => options.map(({ name }) => name);

t.test('no table names an option twice', async (t) => {
  t.ok(TABLES.length > 10);
  for (const [name, options] of TABLES) {
    const twice = namesOf(options).filter((each, at, all) => all.indexOf(each) !== at);
    t.same(twice, [], name);
  }
});

t.test("every command's table is in the one of all commands, and there is no other", async (t) => {
  for (const [name, options] of TABLES) {
    t.same(
      options.filter((option) => !ALL_OPTIONS.includes(option)).map((option) => option.name),
      [],
      name,
    );
  }
  const folder = fileURLToPath(new URL('../../../harness/commands/', import.meta.url));
  const texts = readdirSync(folder).map((file) => [file, readFileSync(`${folder}${file}`, 'utf8')] as const);
  // A part of a command that has a file of its own (sweep-nights.ts) has no table.
  const commands = texts.filter(([file, text]) => file !== 'command.ts' && /: Command\b/.test(text));
  t.equal(commands.length, texts.length - 2);
  for (const [file, text] of commands) {
    const named = /\boptions: ([A-Z_]+),/.exec(text)?.[1];
    t.ok(
      TABLES.some(([name]) => name === named),
      `${file}: ${named}`,
    );
  }
});

t.test('repro and doctor have their own --json, and write no report of a run', async (t) => {
  for (const options of [tables.REPRO_OPTIONS, tables.DOCTOR_OPTIONS]) {
    t.same(
      options.filter(({ group }) => group === 'outputs'),
      [],
    );
    t.equal(options.find(({ name }) => name === 'json')?.form, null);
  }
});
