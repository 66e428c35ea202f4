#!/bin/sh
# Runs a command (default: npm test) under another Node, e.g. `test/with-node.sh 22` or
# `test/with-node.sh 24 npm run test:fast`. That Node comes from the npm package "node" and is kept in the temp
# folder; the machine's own stays as it is.
set -eu

version=${1:?usage: test/with-node.sh VERSION [COMMAND...]}
shift
case $version in
  *[!0-9.]*) echo "with-node: expected a version such as 22 or 22.11.0, given: $version" >&2 && exit 2 ;;
esac
[ $# -gt 0 ] || set -- npm test
cd -- "$(dirname -- "$0")/.."

folder=${TMPDIR:-/tmp}/bootwitness-node-$version-$(id -u)
node=$folder/node_modules/node/bin/node
if ! "$node" --version >/dev/null 2>&1; then
  mkdir -p -- "$folder"
  # Its install script is what puts the binary of this kind of machine in place; newer npm wants that allowed.
  echo '{ "private": true, "allowScripts": { "node": true } }' >"$folder/package.json"
  npm install --prefix "$folder" --no-save --no-audit --no-fund "node@$version"
fi
PATH=$(dirname -- "$node"):$PATH
export PATH
echo "with-node: $(node --version)"
exec "$@"
