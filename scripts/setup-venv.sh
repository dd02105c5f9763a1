#!/usr/bin/env bash
# Makes a virtual environment with Python 3.11 or newer: setup-venv.sh FOLDER
#
# Debian and Ubuntu ship venv apart from Python: root gets it installed, others get the command. Safe to repeat.
# Exit codes: 0 done, 3 a person has to do something (printed on stderr).
set -euo pipefail

readonly FOLDER=${1:?usage: setup-venv.sh FOLDER}
readonly ENVIRONMENT=3

give_up() {
  printf 'setup-venv: %s\n' "$1" >&2
  shift
  (($#)) && printf '  %s\n' "$@" >&2
  exit "$ENVIRONMENT"
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if new_enough "$name"; then
      echo "$name"
      return
    fi
  done
  give_up "no Python 3.11 or newer found. Install one, or name it:" "make setup PYTHON=/path/to/python3.11"
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

install() {
  command -v apt-get >/dev/null || give_up "$1 is missing, and this is neither Debian nor Ubuntu. Install it yourself."
  ((EUID == 0)) || give_up "$1 is missing. As an administrator:" "sudo apt-get install $1" "make setup"
  echo "setup-venv: installing $1 from this machine's package sources" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >&2 || true
  apt-get -qq install --yes --no-install-recommends "$1" >&2 ||
    give_up "$1 could not be installed (apt's message is above)." "apt-get install $1"
}

venv_package() { "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'; }

main() {
  local python
  command -v python3 >/dev/null || [[ -n ${PYTHON:-} ]] || install python3-venv
  python=$(find_python)
  has_venv "$python" || install "$(venv_package "$python")"
  "$python" -m venv "$FOLDER"
}

main
