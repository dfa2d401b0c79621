#!/usr/bin/env bash
# Random secrets for docker-compose.yml, one file each: make-secrets.sh [FOLDER]
# Files that are there are kept, so it may be run again after an upgrade.
set -eu
[ $# -le 1 ] || { echo "Usage: ${0##*/} [FOLDER]" >&2; exit 2; }
folder=${1:-secrets}

# Nobody else gets into the folder. The files can be read by all, since containers see each file
# for itself and are users whom this machine does not know.
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

random() { # LENGTH hexadecimal digits
    od -An -v -tx1 -N "$(($1 / 2))" /dev/urandom | tr -d ' \n'
}

while read -r name length; do
    path=$folder/$name
    if [ -e "$path" ]; then
        echo "$path is kept"
        continue
    fi
    random "$length" >"$path.new"
    chmod 444 "$path.new"
    mv "$path.new" "$path"
    echo "$path is new"
done <<'END'
auth_secret 64
redis_password 64
postgres_password 64
storage_access_key 20
storage_secret_key 40
grafana_password 32
END
