# Sourced by the start scripts: start, stop and status of one compose service.
#
# The script sets       title, file, container, address, and optionally needs_network
#                       and stopped_note
# and calls             compose_service "$@"
# Exit codes            0 done, or running   1 failed   2 wrong argument
#                       3 not running (status)   4 Docker, its compose or its daemon is missing

WAIT_SECONDS=${WAIT_SECONDS:-60}

say() { printf '%s\n' "$*"; }
fail() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }

usage() {
    fail 2 "Usage: ${0##*/} start|stop|status${1:+ (not: $1)}"
}

find_compose() {
    command -v docker >/dev/null 2>&1 ||
        fail 4 "Docker is not installed: https://docs.docker.com/get-docker/"
    if docker compose version >/dev/null 2>&1; then
        compose="docker compose"
    elif command -v docker-compose >/dev/null 2>&1; then
        compose="docker-compose"
    else
        fail 4 "Docker has no compose: https://docs.docker.com/compose/install/"
    fi
    docker info >/dev/null 2>&1 ||
        fail 4 "The Docker daemon does not answer. Start Docker, and see that you may use it (docker info)."
}

in_compose() { $compose -f "$file" "$@"; }

# healthy, starting, unhealthy; or the container's own state; or "missing"
health() {
    found=$(docker inspect --format \
        '{{if .State.Health}}{{if .State.Running}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}{{else}}{{.State.Status}}{{end}}' \
        "$container" 2>/dev/null) || found=missing
    say "$found"
}

start() {
    if [ -n "${needs_network:-}" ] && ! docker network inspect "$needs_network" >/dev/null 2>&1; then
        fail 1 "The network $needs_network is not there. Start Redis first: scripts/start-redis.sh start"
    fi
    say "Starting $title …"
    in_compose up -d || fail 1 "$title could not be started; see above."
    waited=0
    until [ "$(health)" = healthy ]; do
        if [ "$waited" -ge "$WAIT_SECONDS" ]; then
            in_compose logs --tail 20 >&2 || true
            fail 1 "$title is $(health) after $WAIT_SECONDS s; its last words are above."
        fi
        sleep 1
        waited=$((waited + 1))
    done
    say "$title is ready: $address"
}

stop() {
    say "Stopping $title …"
    # Not `down`: that fails over the network while another service is still on it.
    in_compose rm -s -f || fail 1 "$title could not be stopped; see above."
    say "$title is stopped.${stopped_note:+ ${stopped_note:-}}"
}

status() {
    state=$(health)
    case $state in
        healthy) say "$title is ready: $address" ;;
        missing) say "$title is not running."; exit 3 ;;
        *) say "$title is $state."; exit 3 ;;
    esac
}

compose_service() {
    [ $# -eq 1 ] || usage "$*"
    case $1 in
        start | stop | status) ;;
        *) usage "$1" ;;
    esac
    find_compose
    "$1"
}
