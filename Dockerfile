# The image of the scaled set-up (compose.yaml). Not built by our own CI, which has no Docker engine: the steps are those of
# `npm start` on Debian, which CI does run; report what differs.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The lock file lacks other platforms' builds of native packages, which `npm ci` refuses.
RUN npm install --no-audit --no-fund --omit=dev
COPY . .
RUN node_modules/.bin/node node_modules/vite/bin/vite.js build --config apps/web/vite.config.ts

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* && useradd --system --create-home interlock
WORKDIR /app
COPY --from=build --chown=interlock /app /app
USER interlock
ENV INTERLOCK_DATA_DIR=/data INTERLOCK_HOST=0.0.0.0
VOLUME /data
EXPOSE 4400
HEALTHCHECK --interval=10s --timeout=5s CMD ["/app/node_modules/.bin/node", "-e", "fetch('http://127.0.0.1:4400/health/ready').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/node_modules/.bin/node", "/app/apps/server/cli.ts"]
CMD ["serve"]
