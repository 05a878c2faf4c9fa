# The node as one image. Two stages can be replaced where no registry can be reached (scripts/image.ts does it):
# NODE_IMAGE is what everything runs on, BUILT is an image with /built and /data as the stage `build` makes them.
ARG NODE_IMAGE=docker.io/library/node:24-slim
ARG BUILT=build

FROM ${NODE_IMAGE} AS build
WORKDIR /built
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev && rm -rf node_modules/node-linux-* && mkdir /data

FROM ${BUILT} AS built

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Guts" \
      org.opencontainers.image.description="A git hosting node" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    GUTS_DATA_DIR=/data
WORKDIR /app
COPY --from=built /built/package.json ./
COPY --from=built /built/node_modules ./node_modules
COPY --from=built /built/dist ./dist
# A volume made here belongs to who works on it. By number: whoever runs the image can see that it is not root.
COPY --from=built --chown=1000:1000 /data /data
USER 1000:1000
VOLUME /data
# API and git · metrics and health, for the internal network only · other nodes
EXPOSE 8080 9090 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["start"]
