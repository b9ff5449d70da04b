#!/usr/bin/env bash
# Builds programs of this workspace: build.sh PROFILE PROGRAM...; PROFILE is dev, or release for what is deployed.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=$1
shift

# Cargo takes the features that the selected packages and targets ask for. With all packages and one small test among them,
# they are those of `cargo test --workspace`, and whoever builds and tests compiles each dependency once.
selection=(--workspace --test golden)
# What is deployed has no feature that only a test asks for.
[ "$profile" = dev ] || selection=(-p trailmark-cli -p trailmark-examples)

cargo build --locked --profile "$profile" "${selection[@]}" "${@/#/--bin=}"
