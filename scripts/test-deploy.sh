#!/usr/bin/env bash
# Checks deploy/ as far as it goes without a container engine. That its settings, ports and paths are those of the binary,
# `cargo test --test deploy` says.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
tools=${CARGO_TARGET_DIR:-$here/target}/deploy
# Where `setup.sh deploy` puts promtool, if the machine has none.
PATH=$PATH:$tools

cd "$here/deploy"
docker-compose --file compose.yaml config --quiet
echo "compose.yaml: fine"
"$tools/venv/bin/kubernetes-validate" --quiet --strict kubernetes/*.yaml
echo "kubernetes: fine"
"$tools/node_modules/.bin/dockerfilelint" Dockerfile

cd prometheus
promtool check config prometheus.yml
promtool test rules alerts.test.yml
