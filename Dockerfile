# syntax=docker/dockerfile:1
# The daemon in a container. The configuration comes as /etc/fecha/fecha.toml, a SQLite ledger lies in /var/lib/fecha,
# passwords and the evidence key come as files (FECHA_…_FILE) or variables: docs/operations.md, compose.yaml.
#
#   docker build --build-arg COMMIT="$(git log -1 --format='%h of %cs' --abbrev=12)" -t fecha .
FROM rust:1.95-bookworm AS build
WORKDIR /src

# The crates in a layer of their own, which changes with Cargo.lock alone: they are compiled for a program that is
# nothing yet.
COPY Cargo.toml Cargo.lock ./
COPY core/Cargo.toml core/
COPY benches benches
RUN mkdir -p src core/src \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs core/src/lib.rs \
    && cargo build --release --locked

COPY . .
# Sources of an earlier date than what stood in their place would be taken for it.
ARG COMMIT=""
RUN touch src/main.rs src/lib.rs core/src/lib.rs build.rs \
    && SOURCE_COMMIT="$COMMIT" cargo build --release --locked

FROM debian:bookworm-slim
# Whose versions Debian keeps up within one release: a pinned one would be gone with its next mend.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 970 fecha \
    && useradd --system --uid 970 --gid 970 --no-log-init --home-dir /var/lib/fecha --create-home fecha
COPY --from=build /src/target/release/fecha /usr/local/bin/fecha
COPY --from=build /src/LICENSE /usr/share/doc/fecha/LICENSE
COPY --from=build /src/templates/init/fecha.toml /usr/share/fecha/fecha.toml
# By number: what runs it can see that it is not root.
USER 970:970
WORKDIR /var/lib/fecha
VOLUME /var/lib/fecha
ENV FECHA_CONFIG=/etc/fecha/fecha.toml
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["fecha", "daemon", "--probe"]
ENTRYPOINT ["fecha"]
CMD ["daemon"]
