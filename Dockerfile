# One container, one volume: `labelwright serve` runs web, worker and clock.
#
#   docker build --build-arg PIP_EXTRA_INDEX_URL=<index with CPU builds of torch> -t labelwright .
#
# constraints.txt accepts a CPU build of torch only; pytorch.org/get-started/locally shows the
# index that has it. Never put a password into that address: it stays in the build's history.

FROM python:3.11-slim-bookworm AS build
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
# The dependencies are a layer of their own: they change seldom.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY scripts scripts
RUN scripts/install-torch install cpu /opt/venv
RUN mkdir bot models training recipes demo && touch bot/__init__.py \
 && pip install -q -c constraints.txt . && pip uninstall -q -y labelwright
COPY bot bot
COPY models models
COPY training training
COPY recipes recipes
COPY demo demo
RUN pip install -q --no-deps . && scripts/install-torch check cpu /opt/venv

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data labelwright \
 && install -d -o labelwright -g labelwright -m 700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HOME=/data/huggingface \
    LABELWRIGHT_HOME=/data \
    LABELWRIGHT_HOST=0.0.0.0 \
    LABELWRIGHT_PORT=8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["labelwright", "serve"]
