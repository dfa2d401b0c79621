# The reference application: API server, job server and migrations are one image.
#   docker build -t atode-webapp:0.1.0 .
# How to run it: docs/en/Deployment.md

FROM python:3.13.9-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir pip==25.3
# What the application needs changes less often than the code, so it is a layer of its own.
COPY pyproject.toml README.md LICENSE ./
RUN /venv/bin/pip install --no-cache-dir --group webapp
# The library comes as a wheel, as it would from an index. `redis` because jobs live there, `metrics`
# for /metrics, `uvloop` for speed. No `postgres`: the application keeps no jobs in PostgreSQL.
COPY src src
RUN /venv/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /venv/bin/pip install --no-cache-dir "$(echo /wheels/atode-*.whl)[redis,metrics,uvloop]"

FROM python:3.13.9-slim-bookworm
# By number, so that Kubernetes can see that it is not root.
RUN groupadd --gid 10001 webapp \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin webapp
COPY --from=build /venv /venv
# The application is no package: a folder that finds its settings beside it.
WORKDIR /app
COPY webapp webapp
COPY config config
# Nothing is written when it runs, so that is done here.
RUN python -m compileall -q webapp
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 \
    CMD ["python", "-m", "webapp.probe", "http://127.0.0.1:8080/healthz"]
# The job server is `python -m webapp.jobqueue`, migrations are `python -m webapp.migrate`.
CMD ["python", "-m", "webapp.server"]
