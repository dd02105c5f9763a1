#!/usr/bin/env bash
# Makes a root file system with the engines of Debian 13, beside this machine's own: setup-later-engines.sh FOLDER
#
# The tests of engines and runtimes start them from there, in a mount namespace of their own; this machine's stay as they
# are. Nothing but tests needs them, so nothing here fails: where the folder cannot be made, it is told why, and those
# tests are skipped. Takes about a minute and 600 MB; root on Debian or Ubuntu can do it. A repeat takes no time.
set -euo pipefail

readonly TARGET=${1:?usage: setup-later-engines.sh FOLDER}
readonly RELEASE=trixie
readonly PACKAGES=docker.io,containerd,runc,crun,runsc,podman,conmon,ca-certificates
readonly MIRROR=http://deb.debian.org/debian
readonly LOG=$TARGET.log

say() { printf '%s\n' "setup-later-engines: $*" >&2; }

skip() {
  say "$1: the tests of later engines will be skipped"
  exit 0
}

install_mmdebstrap() {
  command -v mmdebstrap >/dev/null && [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] && return
  command -v apt-get >/dev/null || skip "no mmdebstrap, and this is neither Debian nor Ubuntu"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >/dev/null || true
  apt-get -qq install --yes --no-install-recommends mmdebstrap debian-archive-keyring >/dev/null ||
    skip "apt could not install mmdebstrap (its message is above)"
}

# The mirror that this machine takes its own Debian from, if any: it may be the only one within reach.
mirror() {
  local found
  found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
    2>/dev/null | head -n 1) || true
  printf '%s\n' "${found:-$MIRROR}"
}

# Proxies and the like of this machine; the rest of its configuration stays out.
apt_options() {
  apt-config dump --format '%F "%v";%n' Acquire | grep -E '^Acquire::(https?|Check-|Retries|ForceIPv)' || true
}

make_root() {
  local new=$1
  apt_options >"$new.conf"
  mmdebstrap --quiet --variant=minbase --aptopt='APT::Install-Recommends "false"' --aptopt="$new.conf" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --include="$PACKAGES" \
    "$RELEASE" "$new" "$(mirror)" >"$LOG" 2>&1
}

main() {
  local new=$TARGET.$$
  [[ ! -d $TARGET ]] || return 0
  ((EUID == 0)) || skip "only root can make and start the engines of Debian 13"
  install_mmdebstrap
  mkdir -p "${TARGET%/*}"
  # shellcheck disable=SC2064 # the value of now is meant: `new` is gone when the trap runs
  trap "rm -rf '$new' '$new.conf'" EXIT
  say "making a root file system with Debian 13's Docker, Podman and gVisor, for the tests alone"
  make_root "$new" || skip "mmdebstrap failed, see $LOG"
  mkdir "$new/was" # where the old root stands for a moment when the new one is entered
  mv -T "$new" "$TARGET" 2>/dev/null || true # another one was faster
}

main
