#!/usr/bin/env bash
# Makes sure that a Chromium is here in which the tests open the page of a report.
#
#   setup-browser.sh          finds one, else installs the distribution's; never fails: without one, tests are skipped
#   setup-browser.sh --find   prints the program of the one that is here, or says why there is none and exits with 1
#
# Installing needs root on Debian. Ubuntu has Chromium as a snap alone, and a snap sees neither /tmp nor the pages that
# tests write there: such a one does not count, and is never installed. Safe to repeat; a repeat takes no time.
set -euo pipefail

readonly NAMES=(chromium chromium-browser google-chrome google-chrome-stable)
readonly FONT=fonts-dejavu-core
readonly HERE=${BASH_SOURCE[0]%/*}

say() { printf '%s\n' "setup-browser: $*" >&2; }

# A snap's program is a link to snapd's, or a script that starts what is under /snap.
is_snap() {
  local program start
  program=$(readlink -f "$1")
  [[ $program == /snap/* || $program == */bin/snap ]] && return
  read -rN 2 start <"$program" 2>/dev/null && [[ $start == '#!' ]] && grep -q '/snap/' "$program"
}

# Every program that may be a Chromium: those on PATH, then what Playwright itself has downloaded.
candidates() {
  type -aP "${NAMES[@]}" || true
  compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-${HOME:-}/.cache/ms-playwright}/chromium-*/chrome-linux*/chrome" || true
}

find_browser() {
  local program
  while read -r program; do
    if ! is_snap "$program"; then
      printf '%s\n' "$program"
      return
    fi
  done < <(candidates)
  return 1
}

why_none() {
  local program
  read -r program < <(candidates) || true
  if [[ -n $program ]]; then
    printf '%s\n' "$program is a snap, which cannot open the pages that tests write to /tmp"
  else
    printf '%s\n' "no ${NAMES[*]} on PATH"
  fi
}

has_font() {
  local folders=(/usr/share/fonts /usr/local/share/fonts "${HOME:-}/.fonts" "${HOME:-}/.local/share/fonts")
  [[ -n $(find -L "${folders[@]}" -name '*.[ot]t[fc]' -print -quit 2>/dev/null) ]]
}

packages() {
  printf '%s\n' chromium
  has_font || printf '%s\n' "$FONT"
}

# What apt knows of the package that it would install: nothing where it knows of none.
description() { apt-cache show --no-all-versions chromium 2>/dev/null || true; }

install() {
  export DEBIAN_FRONTEND=noninteractive
  export NEEDRESTART_SUSPEND=1
  apt-get -qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$@" >/dev/null
}

# Takes the reason, and what a person can do.
tell() {
  say "the tests of the report's page will be skipped: $1"
  shift
  printf '  %s\n' "$@" >&2
}

tell_without_package() {
  tell "$(why_none), and this system's packages have none but a snap, if any. What helps is one of:" \
    "$(cd "$HERE/.." && pwd)/.venv/bin/playwright install --with-deps chromium" \
    "a Chromium or Google Chrome of your own on PATH, not a snap, under one of the names ${NAMES[*]}"
}

# Only root may renew apt's lists: to others, what apt does not know of may still exist.
set_up_as_user() {
  local wanted
  mapfile -t wanted < <(packages)
  [[ $(description) != *snapd* ]] || { tell_without_package && return; }
  tell "$(why_none). As an administrator:" "sudo apt-get update" \
    "sudo apt-get install --no-install-recommends ${wanted[*]}"
}

set_up_as_root() {
  local wanted
  mapfile -t wanted < <(packages)
  if [[ -z $(description) ]]; then
    apt-get -qq update >/dev/null || say "apt-get update failed; going on with the package lists that are here"
  fi
  [[ -n $(description) && $(description) != *snapd* ]] || { tell_without_package && return; }
  say "installing ${wanted[*]} for the tests"
  install "${wanted[@]}" || tell "apt could not install them (its message is above). By hand:" \
    "apt-get update" "apt-get install --no-install-recommends ${wanted[*]}"
}

set_up() {
  find_browser >/dev/null && return
  if ! command -v apt-get >/dev/null; then
    tell_without_package
  elif ((EUID != 0)); then
    set_up_as_user
  else
    set_up_as_root
  fi
}

main() {
  case ${1:-} in
    "") set_up || true ;;
    --find) find_browser || { why_none >&2 && return 1; } ;;
    *) say "usage: setup-browser.sh [--find]" && return 2 ;;
  esac
}

main "$@"
