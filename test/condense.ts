/** Makes the TAP of a ring readable: one line for each file that passed, everything of a file that did not. */

/** Fed line by line; returns what is to be printed now. */
export function condenser(): (line: string) => readonly string[] {
  let held: string[] = [];
  return (line) => {
    if (line.startsWith('not ok ')) {
      const all = [...held, line];
      held = [];
      return all;
    }
    if (line.startsWith('ok ')) {
      const reasons = held.filter((inner) => /^\s+(not )?ok \d+.* # [A-Z]{4}\b/.test(inner));
      held = [];
      return [...reasons, line];
    }
    if (line.startsWith('# Subtest: ') || held.length > 0) {
      held.push(line);
      return [];
    }
    return line === '' ? [] : [line];
  };
}
