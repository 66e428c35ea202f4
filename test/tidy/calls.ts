/** Finds calls of our commands in a page, `npm run -s NAME -- ARGS`, and splits their arguments as a shell would. */

export interface CallInPage {
  readonly line: number;
  readonly name: string;
  readonly args: readonly string[];
  /** It stands in a block, to be copied; within a sentence it may be a part of a call. */
  readonly whole: boolean;
}

const CALL = /\bnpm run (?:-s )?([a-z][\w-]*)(?: +-- ([^\n]*))?/g;
/** Ends a call: what follows is another command, or none. */
const ENDS = /^(#|&&|\|\||;|\||>|2>|\))/;

/** As a POSIX shell, as far as our pages need it: quotes, blanks, and where the command ends. */
export function shellWords(text: string): readonly string[] {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== '' && !ENDS.test(rest)) {
    let word = '';
    while (rest !== '' && !/^[\s;|)]/.test(rest)) {
      const [whole = '', single, double, escaped] = /^'([^']*)'|^"([^"]*)"|^\\(.)|^[\s\S]/.exec(rest) ?? [];
      word += single ?? double ?? escaped ?? whole;
      rest = rest.slice(whole.length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}

/** Each call in the fenced blocks of a page and between backticks of its sentences. */
export function callsIn(page: string): readonly CallInPage[] {
  const lines = page.replace(/\\\n/g, ' ').split('\n');
  let fenced = false;
  return lines.flatMap((text, index) => {
    if (text.trimStart().startsWith('```')) fenced = !fenced;
    const whole = fenced || /^ {4}/.test(text);
    const pieces = whole ? [text] : [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
    return pieces.flatMap((piece) =>
      [...piece.matchAll(CALL)].map(([, name = '', args = '']) => ({
        ...{ line: index + 1, name, whole },
        args: shellWords(args),
      })),
    );
  });
}

/** Options that a text names; not those within calls of our commands, which are looked at by themselves. */
export function optionsNamed(text: string): readonly string[] {
  const plain = text.replace(/\bnpm run (?:-s )?[a-z][\w-]*(?: +--(?= )[^,.;)\n]*)?/g, '');
  return [...plain.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, name = '']) => name);
}
