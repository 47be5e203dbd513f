#!/usr/bin/env bash
# Train on several processes: tools/dist_train.sh CONFIG PROCESSES [options of train.py]
# One process a GPU; without GPUs they run on CPUs (gloo). batch_size of the config is per process.
# Several machines: see dist_run.sh.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 2
fi
exec "$(dirname "$0")/dist_run.sh" train.py "$2" "$1" "${@:3}"
