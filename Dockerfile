# Two stages: the first installs hash-checked packages and our wheel, the second only carries the result.
FROM python:3.13-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS build
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/build
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements-build.lock
RUN python -m venv /opt/channel-sync
RUN /opt/channel-sync/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY migrations migrations
RUN /opt/build/bin/python -m hatchling build --target wheel --directory dist
RUN /opt/channel-sync/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6
RUN useradd --uid 10001 --create-home --home-dir /data channel-sync
COPY --from=build /opt/channel-sync /opt/channel-sync
ENV PATH=/opt/channel-sync/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request as http; http.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
# Run `channel-sync migrate` in a container of its own before a new version starts; compose.yaml does.
CMD ["channel-sync", "serve", "--host", "0.0.0.0", "--port", "8000"]
