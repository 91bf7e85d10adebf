#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes this machine ready for the tests, or for the demo alone: setup.sh [--demo [--no-guest]]. Run it as often as you
# like.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/.cache/setup"
exec 9>"$ROOT/.cache/setup/lock"
flock --wait 900 9 || die "another set-up has been running for 15 minutes"

"$ROOT/tests/setup/packages.sh" "${1:-}"
"$ROOT/tests/setup/python.sh" "${1:-}"
"$ROOT/tests/setup/libvirt.sh"
[ "${2:-}" = --no-guest ] || "$ROOT/tests/rigs/guest/build.sh"
