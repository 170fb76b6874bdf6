# What a session runs in: the runner, Claude Code and its tools. Build it from the root of the repository, together with the backend: npm run images
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# What the image has of Debian.
FROM ${NODE_IMAGE} AS system
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
    /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*

FROM system AS listed
RUN dpkg-query --show --showformat='${Package}\t${Version}\t${Architecture}\n' >/debian.tsv

# Everything is built once for both images: up to the next mark, backend.Dockerfile has the same lines.
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
# Half of the image, and only another version of Claude Code changes it.
COPY --from=build /src/dist/runner/claude/ /opt/berth/claude/
RUN install -d /opt/berth/node && ln -s /usr/local/bin/node /opt/berth/node/node
COPY --from=build /src/dist/runner/node_modules/ /opt/berth/node_modules/
COPY --from=build /src/dist/runner/THIRD_PARTY.txt /src/LICENSE /opt/berth/
COPY --from=build /src/dist/runner/launcher/ /opt/berth/launcher/
COPY --from=build /src/dist/runner/bin/ /opt/berth/bin/
COPY --from=build /src/dist/runner/home/ /opt/berth/home/
COPY --from=build /src/dist/runner/files/ /opt/berth/files/
COPY --from=build /src/dist/runner/runner/ /opt/berth/runner/
ENV NODE_ENV=production \
    BERTH_CLAUDE_EXECUTABLE=/opt/berth/claude/claude \
    BERTH_COMPILED=/opt/berth/compiled
# A start is mostly compiling. Node keeps it to its own user; every session has another.
RUN NODE_COMPILE_CACHE=/opt/berth/compiled node /opt/berth/runner/main.js --precompile \
 && chmod -R u=rwX,go=rX /opt/berth/compiled
COPY --from=build /src/dist/runner.cdx.json /usr/share/sbom/berth-runner.cdx.json
USER 10001:10001
WORKDIR /opt/berth
STOPSIGNAL SIGTERM
# It tells the backend itself how it is.
HEALTHCHECK NONE
CMD ["node", "/opt/berth/runner/main.js"]
ARG SOURCE=unknown
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Berth runner" \
      org.opencontainers.image.description="Runner, Claude Code and the tools around it, for one session of Berth" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
