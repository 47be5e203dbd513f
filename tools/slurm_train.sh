#!/usr/bin/env bash
# Train under Slurm, one task a GPU: tools/slurm_train.sh PARTITION CONFIG GPUS [options of train.py]
# Settings and what has been tried: see slurm_run.sh.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 PARTITION CONFIG GPUS [options of train.py]" >&2
    exit 2
fi
exec "$(dirname "$0")/slurm_run.sh" train.py "$1" "$3" "$2" "${@:4}"
