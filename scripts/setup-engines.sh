#!/usr/bin/env bash
# Makes sure that the other runtimes and engines are here that the tests judge with, beside the Docker Engine.
#
# Nothing but tests needs them, so nothing here fails: what cannot be installed is told, and its tests are skipped.
# Installing needs root on Debian or Ubuntu. Safe to repeat; a repeat takes no time.
set -euo pipefail

# Package and the program that shows that it is here.
readonly -A PROGRAMS=(
  [crun]=crun [runsc]=runsc [podman]=podman [conmon]=conmon [uidmap]=newuidmap [rootlesskit]=rootlesskit
  [fuse-overlayfs]=fuse-overlayfs [slirp4netns]=slirp4netns [openssl]=openssl
)

say() { printf '%s\n' "setup-engines: $*" >&2; }

missing_packages() {
  local package
  for package in "${!PROGRAMS[@]}"; do
    command -v "${PROGRAMS[$package]}" >/dev/null || printf '%s\n' "$package"
  done | sort
}

# Leaves out what this release does not have (Ubuntu has no runsc): one unknown name makes apt install nothing.
known_packages() {
  local package
  for package in "$@"; do
    apt-cache show --quiet=2 "$package" >/dev/null 2>&1 && printf '%s\n' "$package"
  done
  return 0
}

install() {
  export DEBIAN_FRONTEND=noninteractive
  # Nothing is to be started or restarted for these, the running Docker Engine least of all.
  [[ -d /run/systemd/system ]] || export RUNLEVEL=1
  export NEEDRESTART_SUSPEND=1
  apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}

main() {
  local missing known
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    say "the tests of ${missing[*]} will be skipped. As an administrator of Debian or Ubuntu:"
    printf '  %s\n' "sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    return 0
  fi
  mapfile -t known < <(known_packages "${missing[@]}")
  if ((${#known[@]} < ${#missing[@]})); then
    apt-get -qq update >/dev/null || say "apt-get update failed; going on with the package lists that are here"
    mapfile -t known < <(known_packages "${missing[@]}")
  fi
  ((${#known[@]})) || { say "this release has none of ${missing[*]}: their tests will be skipped" && return 0; }
  say "installing ${known[*]} for the tests"
  install "${known[@]}" || say "apt could not install them (its message is above): their tests will be skipped"
}

main
