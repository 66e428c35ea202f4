/**
 * guile_module_smoke: the store-backed Guile loads its three modules, from the store.
 *
 * Observed: a fresh Guile, with the environment of the running Shepherd (or of the environment file)
 *   and nothing else, loads each module, and says which source and which compiled file the load
 *   paths lead to.
 * Proof: a module that loaded shows that its code and its shared object were found; the real paths of
 *   the files show that they were found in the store.
 * What could fool it: a cache in HOME that is loaded instead of the store's files even with
 *   auto-compilation off (so HOME and XDG_CACHE_HOME lead nowhere); another Guile (so its real path
 *   must be in the store); what one module does to the load path (so it is reset before each);
 *   `module-filename`, which of a compiled file is whatever the compiler was told (so it is only
 *   recorded). Loading one module after the other in one process can hide a shared object that only
 *   an earlier module pulls in; three processes would cost a second more.
 * A module that is missing, a Guile that died and a Guile that hangs are told apart by the last thing
 * it said. Only a Guile that has said `started` can blame a module: else the runtime was not observed.
 * Where no environment was found, neither the running Shepherd's nor a file, a module that is missing is
 * missing from Guile's bare defaults: that shows nothing of the service's runtime.
 * A hang counts where Guile answers a trivial expression promptly right after it: else the machine is
 * only slow.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { SAY, said } from './guile-output.ts';
import { guileRuntime, RUNTIME_PATHS, RUNTIME_RUNS } from './guile-runtime.ts';
import { quote } from './quote.ts';
import { inStore } from './store-path.ts';

const NAME = 'guile_module_smoke';
const EXPECTED = 'ok';
const MODULES: readonly string[] = ['(fibers config)', '(gnutls)', '(shepherd config)'];
/** Guile and three small modules take 0.2 s on hardware; the rest is for a busy host. */
const LOAD_S = 9;
const OUTPUT_BYTES_MAX = 16_384;

/**
 * Source and compiled file are both named with their times: Guile takes the compiled one where it is
 * not older. The bindings of the config modules are enumerated, not named: their names differ between versions.
 */
const PROGRAM = `${SAY}
(define paths (list %load-path %load-compiled-path %load-extensions))
(define (real file) (catch #t (lambda () (canonicalize-path file)) (lambda _ "")))
(define (say-file word name file)
  (if file (say word name file (real file) (stat:mtime (stat file)))))
(define (values-of name interface)
  (module-for-each
    (lambda (key variable)
      (attempt
        (lambda ()
          (let ((value (variable-ref variable)))
            (if (string? value) (say "value" name key value))
            (if (eq? key 'gnutls-version) (say "value" name key (value)))))
        (lambda _ #f)))
    interface))
(say "started" (version))
(for-each
  (lambda (name)
    (set! %load-path (car paths))
    (set! %load-compiled-path (cadr paths))
    (set! %load-extensions (caddr paths))
    (say "loading" name)
    (attempt
      (lambda ()
        (let* ((file (string-join (map symbol->string name) "/"))
               (interface (resolve-interface name)))
          (say-file "source" name (search-path %load-path (string-append file ".scm")))
          (say-file "compiled" name (search-path %load-compiled-path (string-append file ".go")))
          (say "filename" name (module-filename (resolve-module name #f)))
          (values-of name interface)
          (say "loaded" name)))
      (lambda (key text args) (say "error" name key text))))
  '(${MODULES.join(' ')}))
(say "done")
`;

export const guileModuleSmoke: Probe = {
  name: 'guile-module-smoke',
  look: 'settled',
  paths: RUNTIME_PATHS,
  runs: [...RUNTIME_RUNS, 'three modules, loaded into it'],
  observe: (guest) =>
    guest.run(`${guileRuntime(guest.paths)}
find_runtime
if [ -n "$rt_guile" ]; then
  output=$(run_guile ${LOAD_S} -c ${quote(PROGRAM)} 2>&1)
  status=$?
  fact guile_status "$status"
  [ "$status" -ne 124 ] || control_guile
  fact_start guile_output ${OUTPUT_BYTES_MAX} "$output"
fi`),
  expect: (observation, { paths }): readonly [Check] => {
    if (observation.state === 'unseen') return [check.unobserved(NAME, EXPECTED, observation.reason)];
    const { guile = '', guile_status: status = '', guile_output: output = '', guile_rejected } = observation.facts;
    if (guile === '') {
      const others = guile_rejected ? ` (not in the store:${guile_rejected})` : '';
      return [check.unobserved(NAME, EXPECTED, `tool missing: no guile under ${paths.store}${others}`)];
    }
    const found = judged(output, status, observation.facts.control ?? '', paths.store);
    if (found.outcome === 'failed' && observation.facts.guile_environment === 'none') {
      return [check.unobserved(NAME, EXPECTED, `no environment for Guile was found; without one: ${found.reason}`)];
    }
    return [found];
  },
};

function judged(output: string, status: string, control: string, store: string): Check {
  const lines = said(output);
  const one = (word: string, module: string): readonly string[] | undefined =>
    lines.find((line) => line.word === word && line.fields[0] === module)?.fields;
  if (!lines.some((line) => line.word === 'started')) {
    const how = status === '124' ? 'did not answer in time' : `ended with status ${status}`;
    return check.unobserved(NAME, EXPECTED, `Guile itself ${how}: ${firstLine(output)}`);
  }
  const done = lines.some((line) => line.word === 'done');
  const wrong: string[] = [];
  const unknown: string[] = [];
  for (const module of MODULES) {
    const error = one('error', module);
    if (error !== undefined) wrong.push(`${module}: ${error.slice(1).join(': ')}`);
    else if (one('loaded', module) === undefined) {
      if (one('loading', module) === undefined || done) unknown.push(`${module}: Guile said nothing of it`);
      else if (status === '124' && control !== '0') unknown.push(`${module}: slow or hanging, and so is Guile itself`);
      else if (status === '124') wrong.push(`${module}: hang: still loading when its time was up`);
      else wrong.push(`${module}: Guile died with status ${status}`);
    } else {
      // The real path, or the path as found where it has none any more.
      const places = [one('source', module), one('compiled', module)]
        .filter((fields) => fields !== undefined)
        .map((fields) => fields[2] || fields[1] || '?');
      const outside = places.filter((place) => !inStore(place, store));
      if (places.length === 0) unknown.push(`${module} loaded, but its files are not on the load paths`);
      else if (outside.length > 0) wrong.push(`${module}: found outside ${store}: ${outside.join(', ')}`);
    }
  }
  if (wrong.length > 0) {
    return check.failed(NAME, EXPECTED, 'failed', wrong.join('; '));
  }
  if (unknown.length > 0) return check.unobserved(NAME, EXPECTED, unknown.join('; '));
  if (!done || status !== '0') {
    return check.unobserved(NAME, EXPECTED, `Guile ended early with status ${status}: ${firstLine(output)}`);
  }
  return check.held(NAME, EXPECTED, EXPECTED);
}

function firstLine(output: string): string {
  const line = output.split('\n').find((text) => text.trim() !== '' && !text.startsWith('BW\t'));
  return line === undefined ? 'it said nothing' : line.trim().slice(0, 200);
}
