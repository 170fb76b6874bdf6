# PostgreSQL from Debian, for tests on a cluster: made from the base that the other images have too.
ARG BASE_IMAGE=docker.io/library/node:24-bookworm-slim
FROM ${BASE_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data/db LC_ALL=C.UTF-8
# initdb wants to know who runs it.
RUN useradd --uid 10001 --no-create-home database && install -d -o 10001 -g 10001 -m 0700 /var/lib/postgresql/data && install -d -m 1777 /var/run/postgresql
USER 10001:10001
STOPSIGNAL SIGINT
CMD ["sh", "-c", "[ -s \"$PGDATA/PG_VERSION\" ] || { umask 077 && printf '%s' \"$POSTGRES_PASSWORD\" >/tmp/password && initdb --username=berth --auth=scram-sha-256 --pwfile=/tmp/password --encoding=UTF8 --locale=C && rm /tmp/password && echo 'host all all all scram-sha-256' >>\"$PGDATA/pg_hba.conf\"; } && exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=300"]
