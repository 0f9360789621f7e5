# The image that compose.yaml starts. It was never built by us: our CI has no Docker engine. The steps are those of `npm start` on Debian, which
# CI does run; report what differs.
FROM debian:bookworm-slim AS build
# Node 26 is linked to libatomic, which the slim image leaves out.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libatomic1 nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The lock file lacks other platforms' builds of native packages, which `npm ci` refuses. The package `node` fetches its
# binary in an install script, which some machines do not run.
RUN npm install --no-audit --no-fund --omit=dev && npm rebuild --ignore-scripts=false node
COPY . .
# By the door the server itself uses, so that the first start finds the pages built.
RUN node_modules/node/bin/node --input-type=module -e "await (await import('/app/apps/server/pages.ts')).builtPages(console.log)"

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libatomic1 && rm -rf /var/lib/apt/lists/* \
  && useradd --system --create-home interlock \
  && mkdir -m 700 /data && chown interlock:interlock /data
WORKDIR /app
# Owned by its user, because the first start makes links between PostgreSQL's libraries.
COPY --from=build --chown=interlock:interlock /app /app
USER interlock
# Two pools of memory for all threads, given back early, as bin/run.js sets it.
ENV INTERLOCK_DATA_DIR=/data INTERLOCK_HOST=0.0.0.0 MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=1000000
# After the folder was made and given away: a new volume takes over its owner.
VOLUME /data
EXPOSE 4400
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/app/node_modules/node/bin/node", "-e", "fetch('http://127.0.0.1:4400/health/ready').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
# The end gives running requests 10 s and PostgreSQL and the engine a few more: stop_grace_period in compose.yaml.
ENTRYPOINT ["/app/node_modules/node/bin/node", "/app/apps/server/cli.ts"]
CMD ["serve"]
