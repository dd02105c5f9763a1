#!/usr/bin/env bash
# Makes sure that a Docker Engine answers: finds a running one, else installs and starts the distribution's.
#
# Finding needs no rights; installing needs root on Debian or Ubuntu. Everybody else gets the exact commands.
# Safe to repeat. Exit codes: 0 an engine answers, 3 a person has to do something (printed on stderr).
set -euo pipefail

readonly SOCKET=/var/run/docker.sock
readonly LOG=/var/log/edittool-dockerd.log
readonly LOCK=/run/lock/edittool-setup-docker.lock
readonly START_SECONDS=30
readonly ENVIRONMENT=3
readonly HOST="${DOCKER_HOST:-unix://$SOCKET}"

say() { printf '%s\n' "setup-docker: $*" >&2; }

give_up() {
  say "$1"
  shift
  (($#)) && printf '  %s\n' "$@" >&2
  exit "$ENVIRONMENT"
}

# Asks the address that edittool itself will use; a context of the docker client does not count.
answers() {
  if command -v docker >/dev/null; then
    DOCKER_HOST="$HOST" timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
  elif [[ $HOST == unix://* ]] && command -v curl >/dev/null; then
    curl --silent --fail --max-time 10 --output /dev/null --unix-socket "${HOST#unix://}" http://localhost/_ping
  else
    return 1
  fi
}

have_systemd() { [[ -d /run/systemd/system ]]; }

is_debian() { [[ -r /etc/debian_version ]] && command -v apt-get >/dev/null; }

refuse_foreign_host() {
  [[ -z ${DOCKER_HOST:-} || $DOCKER_HOST == "unix://$SOCKET" ]] && return
  give_up "DOCKER_HOST is $DOCKER_HOST, and no engine answers there. Start that engine, or use this machine's own:" \
    "unset DOCKER_HOST" "make setup"
}

# A rootless engine listens in the user's own runtime directory.
point_to_rootless() {
  local socket
  for socket in "${XDG_RUNTIME_DIR:-/run/user/$UID}"/{docker.sock,podman/podman.sock}; do
    [[ -S $socket ]] || continue
    give_up "no engine answers on $SOCKET, but there is a rootless one. Use it:" "export DOCKER_HOST=unix://$socket" \
      "make setup"
  done
}

refuse_without_rights() {
  ((EUID == 0)) && return
  point_to_rootless
  if [[ -S $SOCKET && ! -w $SOCKET ]]; then
    give_up "an engine may be running, but $(id -un) may not use $SOCKET. Join its group, then log in again:" \
      "sudo usermod -aG docker $(id -un)" "newgrp docker" "make setup"
  fi
  if command -v dockerd >/dev/null; then
    give_up "Docker is installed but not running, and only root can start it:" "sudo $0"
  fi
  is_debian || refuse_other_system
  give_up "no Docker Engine, and only root can install one. As an administrator:" \
    "sudo apt-get update" "sudo apt-get install --no-install-recommends docker.io" "sudo $0" \
    "sudo usermod -aG docker $(id -un)   # then log in again"
}

refuse_other_system() {
  give_up "no Docker Engine, and this is neither Debian nor Ubuntu. Install and start one yourself, then run this again:
  https://docs.docker.com/engine/install/"
}

install_engine() {
  command -v dockerd >/dev/null && return
  is_debian || refuse_other_system
  say "installing docker.io from this machine's package sources"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >&2 || say "apt-get update failed; going on with the package lists that are here"
  # Without systemd the package must not start the daemon: run level 1 keeps invoke-rc.d from doing it.
  have_systemd || export RUNLEVEL=1
  apt-get -qq install --yes --no-install-recommends docker.io >&2 ||
    give_up "docker.io could not be installed (apt's message is above). By hand:" \
      "apt-get update" "apt-get install --no-install-recommends docker.io" "$0"
}

# Takes a directory of /proc. A zombie is not a daemon: where nobody reaps, one stays for ever.
is_dockerd() { grep -qsx $'Name:\tdockerd' "$1/status" && ! grep -qs $'^State:\tZ' "$1/status"; }

dockerd_runs() {
  local process
  for process in /proc/[0-9]*; do
    is_dockerd "$process" && return
  done
  return 1
}

# A pid file that outlived its daemon stops the next one once its number is somebody else's.
drop_stale_pid_file() {
  local file=/var/run/docker.pid
  [[ -r $file ]] || return 0
  is_dockerd "/proc/$(<"$file")" || rm -f "$file"
}

# Waits until the engine answers. The argument, if any, is the daemon's pid: when it ends, so does the waiting.
wait_for_engine() {
  local end=$((SECONDS + START_SECONDS))
  until answers; do
    ((SECONDS < end)) || return 1
    [[ -z ${1:-} ]] || kill -0 "$1" 2>/dev/null || return 1
    sleep 0.2
  done
}

# Becomes the given command, with no file of ours left open: whoever waits for this script's end must not wait for it.
without_our_files() {
  local fd
  for fd in "/proc/$BASHPID/fd/"*; do
    fd=${fd##*/}
    ((fd <= 2)) || eval "exec $fd>&-"
  done
  exec "$@"
}

# Starts dockerd with the given flags as a daemon of its own: a session and a log file.
start_dockerd() {
  local pid
  drop_stale_pid_file
  printf '== dockerd %s\n' "$*" >>"$LOG"
  without_our_files setsid nohup dockerd "$@" </dev/null >>"$LOG" 2>&1 &
  pid=$!
  wait_for_engine "$pid" && return
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  return 1
}

start_engine() {
  if have_systemd; then
    systemctl enable --now docker >&2 && wait_for_engine && return
    journalctl --unit docker --no-pager --lines 20 >&2 || true
    give_up "systemd could not start Docker (its log is above)." "systemctl status docker"
  fi
  if dockerd_runs && wait_for_engine; then return; fi
  start_dockerd && return
  # Sandboxes have no network, so an engine without a bridge or iptables is enough.
  say "dockerd does not start with a network; starting it without one"
  start_dockerd --iptables=false --ip6tables=false --bridge=none && return
  tail -n 20 "$LOG" >&2
  give_up "dockerd did not answer within $START_SECONDS s. The end of $LOG is above. To see it fail:" "dockerd --debug"
}

main() {
  answers && return
  refuse_foreign_host
  refuse_without_rights
  mkdir -p "${LOCK%/*}"
  exec 9>"$LOCK"
  flock 9
  answers && return # somebody else was faster
  install_engine
  start_engine
  say "Docker Engine $(DOCKER_HOST="$HOST" docker version --format '{{.Server.Version}}') is running"
}

main "$@"
