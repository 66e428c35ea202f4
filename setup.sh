#!/bin/sh
# Brings what this machine lacks to run Bootwitness: npm packages, and Debian packages for the embedded lab and the
# tests. Says first what, why and how much; does nothing where nothing is missing. See usage() below.
set -eu

usage() {
  cat <<'END'
usage: ./setup.sh [--dry-run] [--npm-only]
  --dry-run   say what would be installed, change nothing
  --npm-only  leave out the Debian packages: enough for a real lab, not for --lab embedded or npm test
exit status: 0 ready, 1 an installation failed, 2 wrong usage, 3 this machine lacks what only you can bring
END
}

# package, a command or file it brings (how other systems are looked at), why. Sizes: see documented_sizes.
debian_packages() {
  cat <<'END'
qemu-system-x86 qemu-system-x86_64 runs the VMs of the embedded lab
fdisk sfdisk partitions the disk of the reference guest
dosfstools mkfs.fat makes its boot partition
mtools mcopy fills its boot partition
e2fsprogs mke2fs makes its root file system
syslinux syslinux makes its disk boot
syslinux-common /usr/lib/syslinux/mbr/gptmbr.bin makes its disk boot
syslinux-efi /usr/lib/SYSLINUX.EFI/efi64/syslinux.efi makes its disk boot under UEFI
ovmf /usr/share/OVMF/OVMF_VARS_4M.fd UEFI firmware for the VMs of the embedded lab (7.7 MB, 15 MB on disk)
xz-utils xz unpacks its kernel modules, and images that are compressed with it
zstd zstd unpacks images that are compressed with it
openssh-client ssh-keygen makes its keys
util-linux setpriv ends QEMU together with the lab
debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg verifies the packages it is built from
qemu-utils qemu-img for the tests only: reads back the disks that we write
busybox busybox for the tests only: its sh runs our shell scripts
chromium chromium for the tests only: opens the pages of reports/, without a network (114 MB, 396 MB on disk)
libxml2-utils xmllint for the tests only: holds JUnit XML against its schema
shellcheck shellcheck for the tests only: reads our shell scripts
END
}

# Measured on Debian 12 (amd64, Node 20) with none of them there; used where apt cannot tell.
DEBIAN_SIZES='about 145 MB to download, 528 MB on disk, if none of them is there'
NPM_SIZES='about 120 MB to download, 244 MB on disk'
NODE_MIN=20
OS_RELEASE=${SETUP_OS_RELEASE:-/etc/os-release}
STAMP=node_modules/.bootwitness-installed

say() { printf '%s\n' "setup: $*"; }
refuse() { # status, sentence
  refusal=$1
  shift
  printf '%s\n' "setup: $*" >&2
  exit "$refusal"
}

main() {
  dry_run=no npm_only=no
  for option in "$@"; do
    case $option in
      --dry-run) dry_run=yes ;;
      --npm-only) npm_only=yes ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && refuse 2 "unknown option $option; expected --dry-run or --npm-only" ;;
    esac
  done
  cd -- "$(dirname -- "$0")"
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # Debian gives people no PATH to mke2fs
  export PATH

  require_node
  npm_needed=no
  [ "$(cat "$STAMP" 2>/dev/null)" = "$(npm_stamp)" ] || npm_needed=yes
  missing=
  [ "$npm_only" = yes ] || missing=$(missing_packages)
  if [ "$npm_needed" = no ] && [ -z "$missing" ]; then
    say 'everything is here, nothing to do'
    return
  fi

  announce
  [ "$npm_needed" = no ] || command -v npm >/dev/null 2>&1 ||
    refuse 3 "npm was not found on PATH; install the npm that belongs to this Node, then run this again"
  [ -z "$missing" ] || require_apt
  if [ "$dry_run" = yes ]; then
    say 'dry run: nothing was changed'
    return
  fi
  [ -z "$missing" ] || install_debian
  [ "$npm_needed" = no ] || install_npm
  say 'ready'
}

require_node() {
  found=$(node --version 2>/dev/null) || found=none
  major=${found#v}
  major=${major%%.*}
  case $major in
    '' | *[!0-9]*) major=0 ;;
  esac
  [ "$major" -ge "$NODE_MIN" ] ||
    refuse 3 "Node $NODE_MIN or newer is needed on PATH, found: $found; install it, then run this again"
}

# What an installation depends on: the lock file, and the kind of machine (esbuild and biome are native).
npm_stamp() {
  node -e 'const hash = require("crypto").createHash("sha256").update(require("fs").readFileSync("package-lock.json"));
    console.log(hash.digest("hex"), process.platform, process.arch)'
}

# apt decides by dpkg's list; any other system is asked for the commands themselves.
missing_packages() {
  if is_debian; then
    # shellcheck disable=SC2046 # one word per package
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $(debian_packages | cut -d' ' -f1) 2>/dev/null) || :
    debian_packages | while read -r package _; do
      case "
$installed
" in
        *"
installed $package
"*) ;;
        *) printf '%s ' "$package" ;;
      esac
    done
  else
    debian_packages | while read -r package brings _; do
      [ -e "$brings" ] || command -v "$brings" >/dev/null 2>&1 || printf '%s ' "$package"
    done
  fi
}

is_debian() {
  command -v dpkg-query >/dev/null 2>&1 && grep -Eqs '^ID(_LIKE)?=.*debian' "$OS_RELEASE"
}

announce() {
  if [ -n "$missing" ]; then
    say "Debian packages, $(debian_sizes):"
    debian_packages | while read -r package _ why; do
      case " $missing" in
        *" $package "*) printf '  %-23s %s\n' "$package" "$why" ;;
      esac
    done
  fi
  if [ "$npm_needed" = yes ]; then
    say "npm packages of package-lock.json, $NPM_SIZES:"
    printf '  %-23s %s\n' node_modules 'what the harness, the lab and the tests import'
  fi
}

# Download and disk, with all that apt would bring along; a simulated run needs neither root nor a lock.
debian_sizes() {
  if is_debian && plan=$(apt_plan) && [ -n "$plan" ]; then
    # shellcheck disable=SC2086 # one word per package
    LC_ALL=C apt-cache show --no-all-versions $plan 2>/dev/null | awk '
      $1 == "Size:" { bytes += $2 }
      $1 == "Installed-Size:" { kib += $2 }
      END { printf "%.1f MB to download, %.1f MB on disk", bytes / 1e6, kib * 1024 / 1e6 }'
  else
    printf '%s' "$DEBIAN_SIZES"
  fi
}

apt_plan() {
  # shellcheck disable=SC2086 # one word per package
  simulated=$(LC_ALL=C apt-get --simulate install --no-install-recommends $missing 2>/dev/null) || return 1
  printf '%s\n' "$simulated" | awk '$1 == "Inst" { print $2 }'
}

require_apt() {
  names=${missing% }
  is_debian || refuse 3 "this is not Debian; the embedded lab and the tests need what these Debian packages bring:" \
    "$names; install that by hand, or use --npm-only with a real lab"
  command -v apt-get >/dev/null 2>&1 || refuse 3 "apt-get was not found; these packages are needed: $names"
  [ "$dry_run" = yes ] || [ "$(id -u)" = 0 ] || refuse 3 "not root, and these packages are missing; run as root:" \
    "apt-get install --no-install-recommends $names"
}

install_debian() {
  export DEBIAN_FRONTEND=noninteractive
  # Lists that are absent know no package; lists that are old name files that are gone. One update heals both.
  if [ -z "$(apt_plan)" ] || ! apt_install; then
    say 'fetching the package lists first'
    apt-get -q -o DPkg::Lock::Timeout=120 update || refuse 1 'apt-get update failed; its message is above'
    apt_install || refuse 1 "apt-get could not install: ${missing% }; its message is above"
  fi
  missing=$(missing_packages)
  [ -z "$missing" ] || refuse 1 "apt-get said yes, but these packages are still missing: ${missing% }"
}

apt_install() {
  # shellcheck disable=SC2086 # one word per package
  apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install --no-install-recommends $missing
}

install_npm() {
  # No package needs its install script: esbuild and biome ship binaries, ssh2 falls back to Node's own crypto.
  npm ci --include=dev --ignore-scripts --no-audit --no-fund ||
    refuse 1 "npm ci failed; its message is above"
  npm_stamp >"$STAMP"
}

main "$@"
