/**
 * The part of a script that finds the guest's store-backed Guile and its environment, and runs it.
 *
 * What the running Shepherd itself uses comes first: its process's environment together with its
 * executable. Where that cannot be read (FreeBSD keeps none for PID 1) or says nothing of Guile, the
 * environment file and the Guile of the candidates are taken. What was chosen is a fact.
 *
 * Guile gets that environment and nothing else: a Guile that is helped by the session's variables, by
 * a cache in HOME or by auto-compilation would prove another runtime than the service's.
 */
import type { GuestPaths } from '../model.ts';
import { quote, words } from './quote.ts';

/** The places that `find_runtime` looks at. */
export const RUNTIME_PATHS: readonly (keyof GuestPaths)[] = ['shepherdPidFile', 'guileEnvironment', 'guile', 'store'];
/** What is run of the guest's own. */
export const RUNTIME_RUNS: readonly string[] = [
  'the Guile of the store',
  'its environment file, read by /bin/sh, where the running Shepherd shows none',
];

/**
 * Defines `find_runtime`, which sets `rt_guile` (empty: none in the store) and `rt_env` and states
 * the facts `guile`, `guile_environment` and `guile_rejected`; `run_guile SECONDS ARGS ...`; and
 * `control_guile`, which states as `control` how a trivial expression ended; and `rt_caches PID`, which prints
 * where that process keeps caches.
 */
export function guileRuntime(paths: GuestPaths): string {
  return `${SHEPHERD_PROCESS}
${CHOOSING}
shepherd_process ${words(paths.shepherdPidFile)}
find_runtime() {
  rt_store=${quote(paths.store)}
  rt_begin
  # shellcheck disable=SC2041 # a list may have one entry
  for rt_file in ${words(paths.guileEnvironment)}; do
    rt_read "$rt_file"
  done
  # shellcheck disable=SC2041
  for rt_candidate in ${words(paths.guile)}; do
    rt_try "$rt_candidate"
  done
  fact guile "$rt_guile"
  fact guile_environment "$rt_from"
  fact guile_rejected "$rt_rejected"
}
`;
}

/**
 * `shepherd_process FILE ...` states the first readable pid file (`pid_file`), its first line
 * (`pid_file_content`) and that again where such a process lives, else empty (`pid_alive`, also the
 * variable `sp_pid`). Shepherd writes no final newline, so `read` fails and yet sets its variable.
 */
export const SHEPHERD_PROCESS = `
shepherd_process() {
  sp_pid=
  for sp_file in "$@"; do
    [ -r "$sp_file" ] || continue
    sp_text=
    read -r sp_text <"$sp_file" || :
    fact pid_file "$sp_file"
    fact pid_file_content "$sp_text"
    case $sp_text in
      '' | *[!0-9]*) break ;;
    esac
    if kill -0 "$sp_text" 2>/dev/null; then sp_pid=$sp_text; fi
    break
  done
  fact pid_alive "$sp_pid"
}`;

/** A ninth of the time that was not enough: a Guile that answers in this has not been slowed down that much. */
const CONTROL_S = 1;

/** A file of the environment is read by sh itself: it may quote, export, or refer to what it set before. */
const CHOOSING = `
rt_wanted() {
  grep -E '^(GUILE_[A-Z0-9_]*|LD_LIBRARY_PATH|LTDL_LIBRARY_PATH|LANG|LC_[A-Z]*)='
}

rt_process_variables() {
  if [ -r "/proc/$1/environ" ]; then
    tr '\\000' '\\n' <"/proc/$1/environ" 2>/dev/null
  elif have procstat; then
    procstat -h -e "$1" 2>/dev/null | tr ' ' '\\n'
  fi
}

rt_process_environment() {
  rt_process_variables "$1" | rt_wanted
}

# Folders in which that process would keep Guile's caches; one with a blank in its name is cut and so not found.
rt_caches() {
  rt_process_variables "$1" | sed -n 's|^HOME=\\(/.*\\)$|\\1/.cache|p; s|^XDG_CACHE_HOME=\\(/.*\\)$|\\1|p'
}

rt_process_executable() {
  if [ -e "/proc/$1/exe" ]; then
    readlink "/proc/$1/exe"
  elif have procstat; then
    procstat -h -b "$1" 2>/dev/null | sed -n 's|^[^/]* \\(/.*\\)$|\\1|p'
  fi
}

# A Guile counts where its real path lies in the store. The kernel has resolved what it runs.
rt_try() {
  [ -z "$rt_guile" ] && [ -f "$1" ] && [ -x "$1" ] || return 0
  rt_real=\${2:-$(readlink -f "$1")}
  case $rt_real in
    "$rt_store"/?*)
      rt_guile=$1
      fact guile_real "$rt_real"
      ;;
    *) rt_rejected="$rt_rejected $1" ;;
  esac
}

# What the running Shepherd uses, where that can be read.
rt_begin() {
  rt_guile=
  rt_env=
  rt_from=none
  rt_rejected=
  [ -n "$sp_pid" ] || return 0
  rt_env=$(rt_process_environment "$sp_pid")
  case $rt_env in
    *GUILE_*) ;;
    *)
      rt_env=
      return 0
      ;;
  esac
  rt_from="process $sp_pid"
  rt_program=$(rt_process_executable "$sp_pid")
  case $rt_program in
    */guile*) rt_try "$rt_program" "$rt_program" ;;
  esac
}

rt_read() {
  [ -z "$rt_env" ] && [ -r "$1" ] || return 0
  # shellcheck disable=SC2016 # expanded by the inner sh
  rt_env=$(env -i PATH="$PATH" /bin/sh -c 'set -a; . "$1"; env' sh "$1" 2>/dev/null | rt_wanted)
  [ -z "$rt_env" ] || rt_from=$1
}

# Later assignments win: our three cannot be undone by the environment, its locale replaces ours.
run_guile() {
  rt_seconds=$1
  shift
  set -- GUILE_AUTO_COMPILE=0 HOME=/nonexistent XDG_CACHE_HOME=/nonexistent \\
    "$rt_guile" --no-auto-compile "$@"
  set -f
  rt_ifs=$IFS
  IFS='
'
  # shellcheck disable=SC2086 # one assignment a line
  set -- env -i PATH="$PATH" LANG=C.UTF-8 $rt_env "$@"
  IFS=$rt_ifs
  set +f
  bounded "$rt_seconds" "$@"
}

# After an expiry: is it a hang, or is everything slow here?
control_guile() {
  run_guile ${CONTROL_S} -c 1 >/dev/null 2>&1
  fact control "$?"
}`;
