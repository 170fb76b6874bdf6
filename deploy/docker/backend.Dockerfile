# The backend. Build it from the root of the repository, together with the runner: npm run images
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# What the image has of Debian.
FROM ${NODE_IMAGE} AS system
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
    /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*

FROM system AS listed
RUN dpkg-query --show --showformat='${Package}\t${Version}\t${Architecture}\n' >/debian.tsv

# Everything is built once for both images: up to the next mark, runner.Dockerfile has the same lines.
# ── build ──
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY apps/backend/package.json apps/backend/
COPY apps/cli/package.json apps/cli/
COPY apps/runner/package.json apps/runner/
COPY packages/agent/package.json packages/agent/
COPY packages/client/package.json packages/client/
COPY packages/contract/package.json packages/contract/
COPY packages/git/package.json packages/git/
COPY packages/runtime-kubernetes/package.json packages/runtime-kubernetes/
COPY packages/runtime-local/package.json packages/runtime-local/
COPY packages/runtime/package.json packages/runtime/
COPY packages/sandbox/package.json packages/sandbox/
COPY packages/scripted-model/package.json packages/scripted-model/
COPY packages/testing/package.json packages/testing/
RUN npm ci --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY . .
COPY --from=listed /debian.tsv /
RUN node tools/build/main.ts --debian /debian.tsv
# ── end of build ──

FROM system
COPY --from=build /src/dist/backend/ /opt/berth/backend/
COPY --from=build /src/LICENSE /opt/berth/LICENSE
# In a container, whoever can reach it is decided outside.
ENV NODE_ENV=production \
    BERTH_DATA_DIR=/var/lib/berth \
    BERTH_HOST=0.0.0.0 \
    BERTH_RUNNER_HOST=0.0.0.0
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/berth
COPY --from=build /src/dist/backend.cdx.json /usr/share/sbom/berth-backend.cdx.json
USER 10001:10001
WORKDIR /opt/berth
EXPOSE 7420 7421
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.BERTH_PORT||7420}/readyz`).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
CMD ["node", "/opt/berth/backend/main.js"]
ARG SOURCE=unknown
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Berth backend" \
      org.opencontainers.image.description="API, log, reconciler and model gateway of Berth" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
