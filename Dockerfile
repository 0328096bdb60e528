# The same steps as on a bare machine: scripts/setup, make build, frontdesk models fetch.
#   docker build -t frontdesk .
#   docker run --network host frontdesk
# With the host's network the callers' sound needs no port forwarding; without it publish 5060 and the RTP range
# of the configuration, UDP and TCP.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY scripts scripts
RUN scripts/setup build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cargo build --release --locked
RUN FRONTDESK_MODELS=/models target/release/frontdesk models fetch && rm -f /models/.lock

FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libasound2 libstdc++6 python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home frontdesk
COPY --from=build /src/target/release/frontdesk /usr/local/bin/frontdesk
COPY --from=build --chown=frontdesk /models /var/lib/frontdesk/models
WORKDIR /home/frontdesk
COPY --chown=frontdesk scripts/run scripts/run
COPY --chown=frontdesk config config
COPY --chown=frontdesk examples examples
USER frontdesk
ENV FRONTDESK_MODELS=/var/lib/frontdesk/models
EXPOSE 5060/udp 5060/tcp
CMD ["scripts/run", "/usr/local/bin/frontdesk", "config/example.yaml"]
