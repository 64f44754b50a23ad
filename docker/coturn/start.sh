#!/bin/sh
# Starts coturn with turnserver.conf from this folder and what the environment says. The secret goes into a file that only
# this user can read, never onto a command line, where every process of the host could read it.
#
#   TURN_SECRET_FILE   file with the secret that Jackfield's turn.secretFile has too (or TURN_SECRET: the secret itself)
#   TURN_PEERS         gateway's media address (media.advertisedAddress), several with blanks between: all coturn relays to
#   TURN_REALM         any name; default jackfield
#   TURN_EXTERNAL_IP   address that the gateway sees relayed sound come from, where a 1:1 NAT is in between: PUBLIC/PRIVATE
#   TURN_LISTEN_IP     local address; default all
#   TURN_PORT, TURN_TLS_PORT, TURN_MIN_PORT, TURN_MAX_PORT   in place of those in turnserver.conf
#   TURN_CERT, TURN_KEY  PEM files for turns:; without them TLS is off
#   TURN_RUN_DIR       folder for the file with the secret, in memory if possible; default /run/coturn, else a new one in /tmp
#
# Further arguments go to turnserver.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)

fail() {
  echo "coturn: $1" >&2
  exit 1
}

secret=${TURN_SECRET:-}
if [ -n "${TURN_SECRET_FILE:-}" ]; then
  secret=$(cat "$TURN_SECRET_FILE") || fail "TURN_SECRET_FILE $TURN_SECRET_FILE cannot be read"
fi
[ "${#secret}" -ge 16 ] || fail "TURN_SECRET_FILE must name a file with a secret of 16 characters or more: openssl rand -hex 32"
[ -n "${TURN_PEERS:-}" ] || fail "TURN_PEERS must be the gateway's media address (media.advertisedAddress)"

run=${TURN_RUN_DIR:-/run/coturn}
mkdir -p "$run" 2>/dev/null && [ -w "$run" ] || run=$(mktemp -d)
conf=$run/turnserver.conf
# A port given here takes the place of the file's: coturn would take the first of two.
left_out='^$'
[ -z "${TURN_PORT:-}" ] || left_out="$left_out|^listening-port="
[ -z "${TURN_TLS_PORT:-}" ] || left_out="$left_out|^tls-listening-port="
[ -z "${TURN_MIN_PORT:-}" ] || left_out="$left_out|^min-port="
[ -z "${TURN_MAX_PORT:-}" ] || left_out="$left_out|^max-port="
{
  grep -Ev "$left_out" "$here/turnserver.conf"
  echo "static-auth-secret=$secret"
  echo "realm=${TURN_REALM:-jackfield}"
  for peer in $TURN_PEERS; do echo "allowed-peer-ip=$peer"; done
  if [ -n "${TURN_PORT:-}" ]; then echo "listening-port=$TURN_PORT"; fi
  if [ -n "${TURN_TLS_PORT:-}" ]; then echo "tls-listening-port=$TURN_TLS_PORT"; fi
  if [ -n "${TURN_MIN_PORT:-}" ]; then echo "min-port=$TURN_MIN_PORT"; fi
  if [ -n "${TURN_MAX_PORT:-}" ]; then echo "max-port=$TURN_MAX_PORT"; fi
  if [ -n "${TURN_EXTERNAL_IP:-}" ]; then echo "external-ip=$TURN_EXTERNAL_IP"; fi
  if [ -n "${TURN_LISTEN_IP:-}" ]; then
    echo "listening-ip=$TURN_LISTEN_IP"
    echo "relay-ip=$TURN_LISTEN_IP"
  fi
  if [ -n "${TURN_CERT:-}" ]; then
    echo "cert=$TURN_CERT"
    echo "pkey=${TURN_KEY:-}"
  else
    echo "no-tls"
  fi
  echo "pidfile=$run/turnserver.pid"
} >"$conf"

unset TURN_SECRET secret
exec turnserver -c "$conf" "$@"
