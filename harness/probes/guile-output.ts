/** Reads the tagged lines that our Scheme programs print among whatever else Guile says. */

/** First word of each of our lines; the fields are separated by tabs and hold neither tabs nor newlines. */
const TAG = 'BW';

/**
 * Scheme that defines `(say . parts)`: one tagged line, flushed at once so that a crash or a hang
 * later cannot take it away, and begun on a new line so that a half line on stderr cannot swallow it.
 * `(attempt thunk on-error)` calls `on-error` with the text of what was thrown.
 */
export const SAY = `
(define (plain x)
  (let ((text (if (string? x) x (object->string x display))))
    (if (string-any char-set:iso-control text)
        (string-map (lambda (c) (if (char-set-contains? char-set:iso-control c) #\\space c)) text)
        text)))
(define (say . parts)
  (newline)
  (display "${TAG}")
  (for-each (lambda (part) (display "\\t") (display (plain part))) parts)
  (newline)
  (force-output))
(define (thrown key args)
  (catch #t
    (lambda ()
      (if (and (>= (length args) 3) (string? (cadr args)) (list? (caddr args)))
          (apply simple-format #f (cadr args) (caddr args))
          (object->string (cons key args))))
    (lambda _ (object->string key))))
(define (attempt thunk on-error)
  (catch #t thunk (lambda (key . args) (on-error key (thrown key args) args))))
`;

/** One tagged line: its word and its fields. */
export interface Said {
  readonly word: string;
  readonly fields: readonly string[];
}

/** The tagged lines in their order; everything else in the output is left to the evidence. */
export function said(output: string): readonly Said[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(`${TAG}\t`))
    .map((line) => {
      const [, word = '', ...fields] = line.split('\t');
      return { word, fields };
    });
}
