#!/usr/bin/env bash
# Makes a root file system with Python 3.11 from Debian packages: make_base.sh FILE.tar
#
# Uses this machine's own package sources where they have Python 3.11, else Debian 12 from deb.debian.org. No package
# is configured and no script of one is run, so the result depends on nothing but the packages. Root can install what
# is missing; others get the commands. Exit codes: 0 done, 3 a person has to do something (printed on stderr).
set -euo pipefail

readonly TARGET=${1:?usage: make_base.sh FILE.tar}
readonly PACKAGES=python3.11-minimal,libpython3.11-stdlib,libgcc-s1,libstdc++6
readonly MIRROR='deb http://deb.debian.org/debian bookworm main'
readonly ENVIRONMENT=3
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}

give_up() {
  printf 'make_base: %s\n' "$1" >&2
  shift
  (($#)) && printf '  %s\n' "$@" >&2
  exit "$ENVIRONMENT"
}

install_mmdebstrap() {
  command -v mmdebstrap >/dev/null && return
  command -v apt-get >/dev/null || give_up "mmdebstrap is missing, and this is neither Debian nor Ubuntu."
  ((EUID == 0)) || give_up "mmdebstrap is missing. As an administrator:" "sudo apt-get install mmdebstrap"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >&2 || true
  apt-get -qq install --yes --no-install-recommends mmdebstrap debian-archive-keyring >&2 ||
    give_up "mmdebstrap could not be installed (apt's message is above):" "apt-get install mmdebstrap"
}

# A release candidate (Ubuntu 22.04 has one) is not Python 3.11.
has_python() {
  [[ $(apt-cache policy python3.11-minimal) =~ Candidate:\ 3\.11\.[0-9]+[-+] ]]
}

sources() {
  if ! has_python; then
    echo "$MIRROR"
    return
  fi
  local origin
  for origin in Debian Ubuntu; do
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' "Origin: $origin"
  done
}

# Proxies and the like of this machine; the rest of its configuration stays out.
apt_options() {
  apt-config dump --format '%F "%v";%n' Acquire | grep -E '^Acquire::(https?|Check-|Retries|ForceIPv)' || true
}

# The keys that this machine's sources may name one by one ("Signed-By"), in one folder.
collect_keys() {
  local file
  mkdir "$1"
  for file in /usr/share/keyrings/*.{gpg,asc} /etc/apt/keyrings/*.{gpg,asc} /etc/apt/trusted.gpg.d/*.{gpg,asc}; do
    [[ ! -r $file ]] || cp "$file" "$1/"
  done
}

main() {
  local work
  install_mmdebstrap
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the value of now is meant: `work` is gone when the trap runs
  trap "rm -rf '$work'" EXIT
  chmod 755 "$work"
  collect_keys "$work/keys"
  apt_options >"$work/apt.conf"
  sources >"$work/sources.list"
  mmdebstrap --quiet --variant=extract --format=tar --keyring="$work/keys" --aptopt="$work/apt.conf" \
    --include="$PACKAGES" '' "$TARGET" - <"$work/sources.list" >&2 ||
    give_up "mmdebstrap failed (its message is above)."
}

main
