#!/bin/sh
# Writes sessionctl's completions for the archives: sh release/completions.sh DIR
set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")/../cmd/sessionctl"
export GOWORK=off CGO_ENABLED=0 # as the binaries are built, so that nothing is compiled twice
go run -trimpath . completion bash >"$dir/sessionctl.bash"
go run -trimpath . completion zsh >"$dir/_sessionctl"
go run -trimpath . completion fish >"$dir/sessionctl.fish"
