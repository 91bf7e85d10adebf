#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .venv: the SDK (editable), ansible-core, the test tools, and this checkout as hostler.fleet. Without
# --demo also .cache/release/tools (what builds and checks releases) and .cache/eda (what runs rulebooks).

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

VENV=$ROOT/.venv
TOOLS=$ROOT/.cache/release/tools
EDA=$ROOT/.cache/eda

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    "$candidate" -c 'import sys; print(sys.executable)'
    return
  done
  die "no Python 3.11 or newer found; install one"
}

make_venv() {
  local venv=$1 python
  [ -x "$venv/bin/pip" ] && "$venv/bin/python" -c '' 2>/dev/null && return
  python=$(find_python)
  say python "making ${venv#"$ROOT/"} with $("$python" --version)"
  "$python" -m venv --clear "$venv"
}

# install VENV HASH PIP-ARGUMENT...: nothing to do where the hash, of all that decides it, is that of the last time.
install() {
  local venv=$1 hash=$2 stamp=$1/requirements.sha256
  shift 2
  if [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ]; then
    say python "${venv#"$ROOT/"}: requirements all there"
    return
  fi
  say python "installing $* into ${venv#"$ROOT/"}"
  quietly "$ROOT/.cache/setup/pip.log" "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
  echo "$hash" >"$stamp"
}

hash_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

# Ansible finds a collection only under a folder named ansible_collections/NAMESPACE/NAME.
link_collection() {
  local link=$VENV/collections/ansible_collections/hostler/fleet
  mkdir -p "$(dirname "$link")"
  if [ "$(readlink -f "$link")" != "$(readlink -f "$ROOT")" ]; then
    ln -sfn ../../../.. "$link"
  fi
  [ "$(readlink -f "$link")" = "$(readlink -f "$ROOT")" ] || die "$link does not lead to the checkout"
  say collection "hostler.fleet is this checkout"
}

make_venv "$VENV"
install "$VENV" \
  "$(hash_of "$ROOT"/{tests/setup/requirements.txt,sdk/tests/requirements.txt,sdk/pyproject.toml,sdk/src/hostler/_version.py})" \
  --editable "$ROOT/sdk[all]" --requirement "$ROOT/tests/setup/requirements.txt"
link_collection
[ "${1:-}" != --demo ] || exit 0
make_venv "$TOOLS"
install "$TOOLS" "$(hash_of "$ROOT/release/requirements.txt")" --requirement "$ROOT/release/requirements.txt"
make_venv "$EDA"
install "$EDA" "$(hash_of "$ROOT"/{tests/setup/requirements-eda.txt,sdk/pyproject.toml})" \
  --editable "$ROOT/sdk[all]" --requirement "$ROOT/tests/setup/requirements-eda.txt"
