#!/usr/bin/env bash
# Redis for the jobs, in Docker: start-redis.sh start|stop|status
set -eu
cd "$(dirname "$0")/.."
. scripts/compose-service.sh

title="Redis"
file=docker-compose.redis.yml
container=atode-redis
address=localhost:6379
stopped_note="Its data stays in redis/data/jobqueue."

compose_service "$@"
