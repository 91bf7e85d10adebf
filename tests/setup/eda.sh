#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .cache/eda: ansible-rulebook beside the SDK (editable). Its rules engine runs in Java.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

EDA=$ROOT/.cache/eda
STAMP=$EDA/requirements.sha256

hash=$(cat "$ROOT/tests/setup/requirements-eda.txt" "$ROOT/sdk/pyproject.toml" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$STAMP" 2>/dev/null)" = "$hash" ]; then
  say rulebooks "ansible-rulebook is there"
  exit
fi
say rulebooks "installing ansible-rulebook into .cache/eda"
"$ROOT/.venv/bin/python" -m venv --clear "$EDA"
quietly "$ROOT/.cache/setup/eda.log" "$EDA/bin/pip" install --quiet --disable-pip-version-check \
  --editable "$ROOT/sdk[all]" --requirement "$ROOT/tests/setup/requirements-eda.txt"
echo "$hash" >"$STAMP"
