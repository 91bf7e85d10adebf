# shellcheck shell=bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What every set-up script shares. Source it; it leaves ROOT set to the checkout.

set -euo pipefail
# shellcheck disable=SC2034  # used by the scripts that source this file
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '  %-10s %s\n' "$1" "$2"; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$*' needs root: run as root or install sudo"
  fi
}

# Runs a command with its output in a log file, shown only when it fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null || {
    tail -n 30 "$log" >&2
    die "failed: $* (full output: $log)"
  }
}

on_systemd() { [ -d /run/systemd/system ]; }
