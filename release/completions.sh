#!/bin/sh
# Writes sessionctl's completions for the archives: sh release/completions.sh DIR
set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")/../cmd/sessionctl"
GOWORK=off go run . completion bash >"$dir/sessionctl.bash"
GOWORK=off go run . completion zsh >"$dir/_sessionctl"
GOWORK=off go run . completion fish >"$dir/sessionctl.fish"
