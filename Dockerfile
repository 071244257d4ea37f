# TempleOps without a shell to log in to: a user of its own, nothing writable but /data, /backups and /tmp.
# docs/operations.md, "In a container", walks through it. Every command below was run by hand there.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements-server.lock /build/
RUN /opt/venv/bin/pip install --only-binary :all: --require-hashes -r /build/requirements-server.lock
COPY manage.py gunicorn.conf.py /app/
COPY templeops /app/templeops
COPY backups_app /app/backups_app
COPY templates /app/templates
COPY static /app/static
# The root is read-only later: compile now, by the hash of the source, whatever time the files bear. A checkout that its
# owner alone may read must be read by another user here.
RUN chmod -R a+rX,go-w /app \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode checked-hash -j 0 /app /opt/venv/lib

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 templeops \
 && useradd --uid 10001 --gid templeops --home-dir /data --shell /usr/sbin/nologin templeops \
 && install -d -m 0700 -o templeops -g templeops /data /backups
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data LOGNAME=templeops BACKUP_DIR=/backups DATABASE_URL=sqlite:////data/db.sqlite3
WORKDIR /app
USER 10001:10001
VOLUME ["/data", "/backups"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
