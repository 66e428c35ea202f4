/**
 * Asks one Guile for all that is asserted of its three modules, and reads what it said. Shared by the probes of
 * the smoke, of the files, of the values and of the compiled caches: they send the very same script, so one
 * process in the guest answers all four.
 */
import type { Check, GuestPaths, Observation } from '../model.ts';
import { check } from './check.ts';
import { SAY, type Said, said } from './guile-output.ts';
import { guileRuntime, RUNTIME_PATHS, RUNTIME_RUNS } from './guile-runtime.ts';
import { quote, words } from './quote.ts';

export const MODULES: readonly string[] = ['(fibers config)', '(gnutls)', '(shepherd config)'];

/** The places that `askModules` looks at. */
export const MODULES_PATHS: readonly (keyof GuestPaths)[] = RUNTIME_PATHS;
/** What is run of the guest's own. */
export const MODULES_RUNS: readonly string[] = [...RUNTIME_RUNS, 'three modules, loaded into it'];

/** Guile and three small modules take 0.2 s on hardware; the rest is for a busy host. */
const LOAD_S = 9;
const OUTPUT_BYTES_MAX = 16_384;
/** The largest of the compiled files has 0.7 MB. */
const CACHE_BYTES_MAX = 16_777_216;
/** Where the guest's own caches would be sought: it leads nowhere, and its tail is that of every cache. */
const NOWHERE = '/nonexistent';

/**
 * Arguments: `prefix:TEXT` for each prefix that a compiled file is searched for, `cache:FOLDER` for each folder
 * that may hold somebody's cache. First the caches, by Guile's own load paths and before anything of the modules
 * has run; then the modules. Source and compiled file are both named with their times: Guile takes the compiled
 * one where it is not older. Bindings are enumerated, not named: their names differ between versions.
 */
const PROGRAM = `${SAY}
(define (real file) (catch #t (lambda () (canonicalize-path file)) (lambda _ "")))
(define (say-file word name file)
  (if file (say word name file (real file) (stat:mtime (stat file)))))
(define (wished word)
  (map (lambda (text) (substring text (string-length word)))
       (filter (lambda (text) (string-prefix? word text)) (cdr (command-line)))))
(define (file-of name) (string-join (map symbol->string name) "/"))
(define modules '(${MODULES.join(' ')}))
(say "started" (version))
(use-modules (ice-9 rdelim))
(define (content file)
  (if (> (stat:size (stat file)) ${CACHE_BYTES_MAX})
      "unread: too large"
      (let* ((port (open-file file "rb"))
             (text (read-string port)))
        (close-port port)
        (let loop ((left (wished "prefix:")))
          (cond ((null? left) "clean")
                ((string-contains text (car left)) (string-append "holds " (car left)))
                (else (loop (cdr left))))))))
(define (look-at name kind)
  (lambda (file)
    (if (file-exists? file)
        (say "cache" name kind file (real file) (stat:mtime (stat file)) (content file)))))
(define tail
  (and (string? %compile-fallback-path)
       (string-prefix? "${NOWHERE}/" %compile-fallback-path)
       (substring %compile-fallback-path ${NOWHERE.length})))
(for-each
  (lambda (name)
    (attempt
      (lambda ()
        (let ((source (search-path %load-path (string-append (file-of name) ".scm"))))
          (say "sought" name (or source "") (if source (stat:mtime (stat source)) ""))
          (for-each (look-at name "path")
                    (map (lambda (folder) (string-append folder "/" (file-of name) ".go")) %load-compiled-path))
          (if (and source tail)
              (for-each (look-at name "fallback")
                        (map (lambda (folder) (string-append folder tail source ".go")) (wished "cache:"))))
          (say "looked" name)))
      (lambda (key text args) (say "blind" name key text))))
  modules)
(define paths (list %load-path %load-compiled-path %load-extensions))
(define (values-of name interface)
  (module-for-each
    (lambda (key variable)
      (attempt
        (lambda ()
          (let ((value (variable-ref variable)))
            (cond ((string? value) (say "value" name key value))
                  ((eq? key 'gnutls-version) (say "value" name key (value)))
                  ((eq? (car name) 'shepherd) (say "other" name key (object->string value))))))
        (lambda _ #f)))
    interface))
(for-each
  (lambda (name)
    (set! %load-path (car paths))
    (set! %load-compiled-path (cadr paths))
    (set! %load-extensions (caddr paths))
    (say "loading" name)
    (attempt
      (lambda ()
        (let ((interface (resolve-interface name)))
          (say-file "source" name (search-path %load-path (string-append (file-of name) ".scm")))
          (say-file "compiled" name (search-path %load-compiled-path (string-append (file-of name) ".go")))
          (say "filename" name (module-filename (resolve-module name #f)))
          (values-of name interface)
          (say "loaded" name)))
      (lambda (key text args) (say "error" name key text))))
  modules)
(say "done")
`;

/** The script's body. Facts: `pid_file…`, `guile…`, `guile_status`, `guile_output`, `control`. */
export function askModules(paths: GuestPaths): string {
  const prefixes = paths.shimPrefixes.map((prefix) => `prefix:${prefix}`);
  return `${guileRuntime(paths)}
find_runtime
if [ -n "$rt_guile" ]; then
  set -- ${words([...prefixes, 'cache:/root/.cache', 'cache:/.cache'])}
  if [ -n "$sp_pid" ]; then
    for cache in $(rt_caches "$sp_pid"); do set -- "$@" "cache:$cache"; done
  fi
  output=$(run_guile ${LOAD_S} -c ${quote(PROGRAM)} "$@" 2>&1)
  status=$?
  fact guile_status "$status"
  [ "$status" -ne 124 ] || control_guile
  fact_start guile_output ${OUTPUT_BYTES_MAX} "$output"
fi`;
}

/** What one Guile said of the modules. */
export interface ModulesSpoken {
  readonly lines: readonly Said[];
  readonly output: string;
  readonly status: string;
  /** How a trivial expression ended, after an expiry; empty: it was not asked. */
  readonly control: string;
  /** True where neither the running Shepherd nor a file named an environment: these are Guile's bare defaults. */
  readonly bare: boolean;
}

/** Reads the facts of `askModules`; a string: why nothing was seen. */
export function readModules(observation: Observation, paths: GuestPaths): ModulesSpoken | string {
  if (observation.state === 'unseen') return observation.reason;
  const { guile = '', guile_status: status = '', guile_output: output = '', guile_rejected } = observation.facts;
  if (guile === '') {
    const others = guile_rejected ? ` (not in the store:${guile_rejected})` : '';
    return `tool missing: no guile under ${paths.store}${others}`;
  }
  const lines = said(output);
  if (!lines.some((line) => line.word === 'started')) {
    const how = status === '124' ? 'did not answer in time' : `ended with status ${status}`;
    return `Guile itself ${how}: ${firstLine(output)}`;
  }
  const { control = '', guile_environment: environment } = observation.facts;
  return { lines, output, status, control, bare: environment === 'none' };
}

/** Fields of the first line of that word that is about the module. */
export function lineOf(lines: readonly Said[], word: string, module: string): readonly string[] | undefined {
  return lines.find((line) => line.word === word && line.fields[0] === module)?.fields;
}

/** The first thing that Guile itself said, for a message. */
export function firstLine(output: string): string {
  const line = output.split('\n').find((text) => text.trim() !== '' && !text.startsWith('BW\t'));
  return line === undefined ? 'it said nothing' : line.trim().slice(0, 200);
}

/** `(fibers config)` → `fibers_config`: the tail of a check's name. */
export function moduleKey(module: string): string {
  return module.replace(/[()]/g, '').replaceAll(' ', '_');
}

/** The check of what only a loaded module shows: `failed` where it threw, else nothing was seen. */
export function notLoaded(spoken: ModulesSpoken, module: string, name: string, expected: string): Check {
  const error = lineOf(spoken.lines, 'error', module);
  const reason = `${module} did not load${error === undefined ? ' to its end' : `: ${error.slice(1).join(': ')}`}`;
  if (error === undefined) return check.unobserved(name, expected, reason);
  if (spoken.bare)
    return check.unobserved(name, expected, `no environment for Guile was found; without one: ${reason}`);
  return check.failed(name, expected, 'none', reason);
}
