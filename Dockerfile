# The program with its web app inside, on a small Debian, run by a user without rights.
#
#   docker build -t switchboard .
#   docker run -p 8080:8080 -v switchboard:/data switchboard
#
# Everything worth keeping lies in /data: database, attachments, and the master key unless one is given by
# SWITCHBOARD__SECURITY__MASTER_KEY. The one-time set-up link is in the log of the first start.

FROM node:22-bookworm-slim AS web
WORKDIR /src/web
ENV npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
# The packages change less often than the sources: a layer of their own.
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts
COPY web/ ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS program
WORKDIR /src
COPY . .
COPY --from=web /src/web/dist web/dist
# The binary is copied out in the same step: what is in a cache mount is not in the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    CARGO_TARGET_DIR=/src/target cargo build --release --locked --bin switchboard \
    && install -D -m 755 /src/target/release/switchboard /out/switchboard

FROM debian:bookworm-slim
# Certificates of the public authorities: mail servers, Bot API and webhooks are reached by TLS.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin switchboard \
    && install -d -o switchboard -g switchboard -m 750 /data
COPY --from=program /out/switchboard /usr/local/bin/switchboard

# The default settings keep everything in the folder data/ below the working directory, which makes it /data.
WORKDIR /
USER switchboard
VOLUME /data
ENV SWITCHBOARD__SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
# SIGTERM: takes no new work, finishes what it has, then ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["switchboard", "healthcheck"]
ENTRYPOINT ["switchboard"]
CMD ["serve"]
