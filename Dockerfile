# sessionctl alone, for the gateway: docs/deploy.md.
#
#   docker build -t sessionctl .
#   docker run --read-only -p 8080:8080 -e SESSION_STORE -e SESSION_ENCRYPTION_KEY \
#     sessionctl gateway --addr :8080 --origin http://shop:8080
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG TARGETOS
ARG TARGETARCH
# At a release it is off: then the modules are those that everybody gets, not those of this directory.
ARG GOWORK
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/cache \
    cd cmd/sessionctl && \
    GOCACHE=/cache CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w" -o /out/sessionctl .

FROM scratch
LABEL org.opencontainers.image.source="https://github.com/rockstar-web/sessions" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/sessionctl /sessionctl
# A number, so that runAsNonRoot can be checked. It writes nothing but a store of files, which is a volume.
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/sessionctl"]
CMD ["help"]
