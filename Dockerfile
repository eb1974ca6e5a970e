# The image of any service: `docker build --build-arg SERVICE=catalog -t slipway/catalog .`, or `make images` for all.
# It runs with a read-only root and no capabilities; only /tmp has to be writable (`--read-only --tmpfs /tmp`).
# Any image with Python 3.11 or newer, pip and venv will do as a base; `make images RELEASE=1` wants its digest.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
RUN python -m venv --without-pip /app
# Everything that any service needs, each file held against its hash: a layer that all images share. Wheels only: an
# sdist would run code of its own here, and want a compiler.
COPY requirements-images.lock ./
RUN pip download --no-cache-dir --require-hashes --only-binary :all: --dest wheels -r requirements-images.lock
COPY . source
ARG SERVICE
# The extra of a service whose program this one runs, if any.
ARG ALSO
# Of those, what the extra of this service asks for; a bundle may switch on the orchestrator's traces. setuptools comes with
# grpcio-tools, which needs it on Python 3.8 only.
RUN extras="${SERVICE}${ALSO:+,${ALSO}}" && if [ "${SERVICE}" = orchestrator ]; then extras="${extras},tracing"; fi \
    && pip --python /app/bin/python install --no-cache-dir --no-index --find-links wheels "./source[${extras}]" \
    && pip --python /app/bin/python uninstall --yes setuptools \
    && ln -s "slipway-${SERVICE}" /app/bin/service \
    && test -x /app/bin/service
COPY docker/*.py /app/

FROM ${BASE}
# What could install something has no place at run time. /data and /secrets are for volumes: a new one takes its owner from here.
RUN python -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
    && rm -rf "$(python -c 'import ensurepip; print(*ensurepip.__path__)')" /usr/share/python-wheels \
    && install -d -o 10001 -g 10001 -m 700 /data /secrets
COPY --from=build /app /app
ARG SERVICE
LABEL org.opencontainers.image.title="slipway-${SERVICE}" org.opencontainers.image.licenses="Apache-2.0"
# Every address of a container is its own, and 10001 has no home but /tmp.
ENV PATH="/app/bin:${PATH}" \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SLIPWAY_SERVICE="${SERVICE}" \
    SLIPWAY_BIND=0.0.0.0:8080 \
    SLIPWAY_METRICS_BIND=0.0.0.0:9090
WORKDIR /
USER 10001:10001
EXPOSE 8061 8080 8090 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-I", "/app/healthy.py"]
ENTRYPOINT ["/app/bin/service"]
