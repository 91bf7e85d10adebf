# shellcheck shell=bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Other ways to a host of the rig than TCP; sourced by hosts.sh. What clients need is in $STATE/access:
#   ssh         the ssh to use: qemu+ssh://root@ADDRESS/system?command=$STATE/access/ssh; as user
#               reader one may only read
#   ssh-wrong   the same with a key that no host knows
#   pki         the client's certificates: qemu+tls://ADDRESS/system?pkipath=$STATE/access/pki
#   pki-wrong   certificates of an authority that no host trusts

ACCESS=$STATE/access

# Lets people with the rig's key in by ssh: a real sshd of the host's own, on its address.
open_ssh() {
  local host=$1
  command -v dropbear >/dev/null || die "dropbear is not installed: make setup"
  make_ssh_client
  if ! inside "$host" test -f /run/dropbear.pid; then
    # root's home is the host's own there, and holds nothing but the key; so does that of a user who may only read
    { sed '/^root:/s|:/root:|:/run/root:|' /etc/passwd && echo "reader:x:45678:65534::/run/reader:/bin/sh"; } |
      inside "$host" tee /run/passwd >/dev/null
    inside "$host" mount --bind /run/passwd /etc/passwd
    admit "$host" root /run/root
    admit "$host" reader /run/reader
    inside "$host" dropbear -s -p "$(address "$host"):22" -r "$ACCESS/hostkey" -P /run/dropbear.pid \
      </dev/null >/dev/null 2>&1
  fi
  say "host $host" "qemu+ssh://root@$(address "$host")/system?command=$ACCESS/ssh"
}

# admit HOST USER HOME: lets a user in with the rig's key.
admit() {
  inside "$1" install -d -m 700 -o "$2" "$3" "$3/.ssh"
  inside "$1" tee "$3/.ssh/authorized_keys" <"$ACCESS/key.pub" >/dev/null
  inside "$1" chown "$2" "$3/.ssh/authorized_keys"
}

make_ssh_client() {
  local name
  [ ! -x "$ACCESS/ssh-wrong" ] || return 0
  mkdir -p "$ACCESS"
  ssh-keygen -q -t ed25519 -N '' -C rig -f "$ACCESS/key"
  ssh-keygen -q -t ed25519 -N '' -C nobody -f "$ACCESS/key-wrong"
  dropbearkey -t ed25519 -f "$ACCESS/hostkey" 2>/dev/null | grep '^ssh-' | sed "s/^/$NET.* /" >"$ACCESS/known_hosts"
  for name in "" -wrong; do
    cat >"$ACCESS/ssh$name" <<SSH
#!/bin/sh
exec ssh -F none -i "$ACCESS/key$name" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \\
  -o UserKnownHostsFile="$ACCESS/known_hosts" -o GlobalKnownHostsFile=none "\$@"
SSH
    chmod 755 "$ACCESS/ssh$name"
  done
}

# Lets people with the rig's certificate in by TLS. With a second host's name it shows that one's certificate.
open_tls() {
  local host=$1 shown=${2:-$1} pki
  pki=$STATE/$host/etc/pki
  command -v openssl >/dev/null || die "openssl is not installed: make setup"
  make_tls_client
  mkdir -p "$pki"
  cp "$ACCESS/pki/cacert.pem" "$pki/"
  make_certificate "$ACCESS/ca" "$pki/server" "hostler-$shown" "DNS:hostler-$shown,IP:$(address "$shown")"
  sed -i -e '/^listen_tls/d' -e '/_file = /d' "$STATE/$host/etc/libvirtd.conf"
  cat >>"$STATE/$host/etc/libvirtd.conf" <<CONF
listen_tls = 1
ca_file = "/etc/libvirt/pki/cacert.pem"
cert_file = "/etc/libvirt/pki/servercert.pem"
key_file = "/etc/libvirt/pki/serverkey.pem"
CONF
  kill_daemon "$host"
  restart_daemon "$host"
  say "host $host" "qemu+tls://$(address "$host")/system?pkipath=$ACCESS/pki"
}

make_tls_client() {
  local name
  for name in "" -wrong; do
    [ ! -f "$ACCESS/pki$name/clientcert.pem" ] || continue
    mkdir -p "$ACCESS/pki$name"
    openssl req -x509 -newkey ed25519 -nodes -days 30 -subj "/CN=rig$name" \
      -keyout "$ACCESS/ca${name}key.pem" -out "$ACCESS/ca${name}cert.pem" 2>/dev/null
    cp "$ACCESS/ca${name}cert.pem" "$ACCESS/pki$name/cacert.pem"
    make_certificate "$ACCESS/ca$name" "$ACCESS/pki$name/client" client DNS:client
  done
}

# make_certificate AUTHORITY OUT NAME ALTERNATIVE-NAMES
make_certificate() {
  local authority=$1 out=$2 name=$3 names=$4
  openssl req -newkey ed25519 -nodes -subj "/CN=$name" -keyout "${out}key.pem" -out "${out}req.pem" 2>/dev/null
  openssl x509 -req -days 30 -in "${out}req.pem" -CA "${authority}cert.pem" -CAkey "${authority}key.pem" \
    -extfile <(echo "subjectAltName=$names") -out "${out}cert.pem" 2>/dev/null
  rm "${out}req.pem"
}
