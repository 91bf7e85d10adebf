#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .venv: the SDK (editable), ansible-core, the test tools, and this checkout as hostler.fleet.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

VENV=$ROOT/.venv
STAMP=$VENV/requirements.sha256

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    "$candidate" -c 'import sys; print(sys.executable)'
    return
  done
  die "no Python 3.11 or newer found; install one"
}

# Hash of all that decides what is installed.
wanted() {
  cat "$ROOT/tests/setup/requirements.txt" "$ROOT/sdk/pyproject.toml" "$ROOT/sdk/src/hostler/_version.py" |
    sha256sum | cut -d' ' -f1
}

make_venv() {
  local python
  [ -x "$VENV/bin/pip" ] && "$VENV/bin/python" -c '' 2>/dev/null && return
  python=$(find_python)
  say python "making .venv with $("$python" --version)"
  "$python" -m venv --clear "$VENV"
}

install_requirements() {
  local hash
  hash=$(wanted)
  if [ "$(cat "$STAMP" 2>/dev/null)" = "$hash" ]; then
    say python "requirements all there"
    return
  fi
  say python "installing the SDK and tests/setup/requirements.txt into .venv"
  quietly "$ROOT/.cache/setup/pip.log" "$VENV/bin/pip" install --quiet --disable-pip-version-check \
    --editable "$ROOT/sdk[all]" --requirement "$ROOT/tests/setup/requirements.txt"
  echo "$hash" >"$STAMP"
}

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

make_venv
install_requirements
link_collection
