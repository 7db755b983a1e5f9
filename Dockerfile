# Builds an environment of its own, then copies it into an image that holds nothing else of the build.
FROM python:3.12-slim AS builder

ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/switchyard
RUN pip install --no-cache-dir uv==0.13.8 && python -m venv "$VIRTUAL_ENV"

WORKDIR /src
# The dependencies come first: they change less often than the code, so their layer is kept.
COPY requirements.txt ./
RUN uv pip install --no-cache --require-hashes -r requirements.txt

COPY pyproject.toml README.md ./
COPY bot ./bot
COPY config ./config
COPY integrations ./integrations
COPY models ./models
COPY nodes ./nodes
COPY subflows ./subflows
RUN uv pip install --no-cache --no-deps .


FROM python:3.12-slim

# Two malloc arenas keep memory flat however many issues a run has.
ENV PATH=/opt/switchyard/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2

RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin switchyard \
    && install -d -o switchyard -g switchyard /app/var

COPY --from=builder /opt/switchyard /opt/switchyard

WORKDIR /app
USER 10001:10001
VOLUME /app/var
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]

STOPSIGNAL SIGTERM
CMD ["switchyard", "serve", "--host", "0.0.0.0", "--port", "8080"]
