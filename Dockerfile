# Bucketwright: S3-compatible object storage for self-hosted stacks.
#
#   docker build -t bucketwright .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -p 127.0.0.1:9000:9000 -v bucketwright:/data bucketwright
#
# Any image with Node.js >= 20.19, npm and glibc will do as a base.
ARG BASE_IMAGE=node:22-bookworm-slim

FROM ${BASE_IMAGE} AS manifest
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM manifest AS build
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY script/bundle.mjs script/
RUN npm run build

FROM manifest AS production
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${BASE_IMAGE}
# Health checks written for MinIO call curl.
RUN command -v curl >/dev/null || ! command -v apt-get >/dev/null || \
  { apt-get update -q && apt-get install -qy --no-install-recommends curl && rm -rf /var/lib/apt/lists/*; }
# Owned by root and not writable: the server changes nothing but /data.
WORKDIR /app
COPY --from=production /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY bin bin
# MinIO's place (docs/how-to/instead-of-minio.md): its program's names, and the directory of its older compose files. A
# fresh named volume takes over its directory's mode, and whoever --user names may write to it: the secrets inside have
# modes of their own (0600). So it is with /scratch, where the backup daemon's drills restore to (deploy/backup/).
RUN cp bin/container/minio bin/container/mc /usr/local/bin/ && \
  ln -s /usr/local/bin/minio /usr/local/bin/mc /usr/bin/ && \
  mkdir -m 1777 /data /export /scratch
VOLUME /data
ENV NODE_ENV=production \
    BUCKETWRIGHT_DATA=/data \
    BUCKETWRIGHT_LISTEN=0.0.0.0:9000 \
    BUCKETWRIGHT_ADMIN_LISTEN=127.0.0.1:9002 \
    BUCKETWRIGHT_RUN_AS=1000:1000 \
    MC_CONFIG_DIR=/tmp/.mc
# With `user: root` the server gives its data directory to BUCKETWRIGHT_RUN_AS and becomes that user.
USER 1000:1000
EXPOSE 9000 9001
STOPSIGNAL SIGTERM
# Patient: each check starts a Node.js, which may take seconds on a busy node, and Swarm kills what fails it.
HEALTHCHECK --interval=5s --timeout=20s --start-period=30s --retries=5 \
  CMD ["node", "-e", "fetch(`http://${process.env.BUCKETWRIGHT_ADMIN_LISTEN}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/bucketwright.cjs"]
# `serve`, and what a MinIO service says in its environment.
CMD ["server"]
