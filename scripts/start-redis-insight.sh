#!/usr/bin/env bash
# Redis Insight, a window into the jobs' Redis, in Docker: start-redis-insight.sh start|stop|status
set -eu
cd "$(dirname "$0")/.."
. scripts/compose-service.sh

title="Redis Insight"
file=docker-compose.redis-insight.yml
container=atode-redis-insight
address=http://localhost:8001
needs_network=atode-jobqueue

compose_service "$@"
