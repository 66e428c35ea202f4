/** What is said of a phase: the same of each, but for its name and what it is about. */

import type { Scenario } from '../model.ts';
import type { CommandWords } from './command-help.ts';

/** `phase9` of `phase9-xcpng-boot`: the name of its npm script. */
export const phaseCommand = ({ name }: Pick<Scenario, 'name'>): string => name.split('-', 1)[0] ?? name;

export function phaseWords(scenario: Pick<Scenario, 'name' | 'bootMode' | 'summary'>): CommandWords {
  return {
    ...{ name: phaseCommand(scenario), group: 'image', page: 'README.md#your-image' },
    summary: `boots an image and says PASS or FAIL: boot mode ${scenario.bootMode}`,
    usage: ['[options]'],
    about: [
      `${scenario.name}: ${scenario.summary}`,
      'Without a lab it starts the embedded one, QEMU on this machine, and without an image it boots its reference ' +
        'guest there; where CI=true the lab must be named. With --lab NAME it runs on the lab of labs/NAME.toml ' +
        '(docs/lab-setup.md) and needs --image. What was seen is kept in a workdir, whose path is printed.',
    ],
    examples: [
      { args: ['--lab', 'embedded'], does: 'the reference guest on this machine: nothing else is needed' },
      {
        args: ['--lab', 'pool1', '--image', 'fruix.raw', '--ssh-key', '~/.ssh/fruix'],
        does: 'your image on your lab',
      },
      {
        args: ['--lab', 'embedded', '--image', 'fruix.raw', '--ssh-key', '~/.ssh/fruix', '--keep'],
        does: 'your image on this machine, and the guest stays to be looked at',
      },
      {
        args: ['--lab', 'pool1', '--image', 'fruix.raw', '--expect-closure', '/frx/store/abc-fruix-system'],
        does: 'the image must have booted that closure',
      },
    ],
    precedence: 'flags > environment > lab file > defaults',
    stdout: 'TAP version 14, a point for each check; stderr is for people.',
    exits: {
      fine: 'PASS: every check held, and nothing stayed in the lab',
      failed: 'FAIL: the image is to blame, shown by evidence',
      misuse: 'misuse: one sentence says what was expected; nothing was created',
      lab: 'ERROR, says nothing about the image: lab, this machine, or undetermined; or something was left in the lab',
      interrupted: 'interrupted, and cleaned up',
    },
  };
}
