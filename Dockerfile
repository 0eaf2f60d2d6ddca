# The daemon in a container. The configuration comes as /etc/fecha/fecha.toml, a SQLite ledger lies in
# /var/lib/fecha, the evidence key and passwords come as variables (docs/operations.md).
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/fecha --create-home fecha
COPY --from=build /src/target/release/fecha /usr/local/bin/fecha
USER fecha
WORKDIR /var/lib/fecha
VOLUME /var/lib/fecha
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["fecha", "--config", "/etc/fecha/fecha.toml"]
CMD ["daemon"]
