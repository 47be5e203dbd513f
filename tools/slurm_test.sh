#!/usr/bin/env bash
# Test under Slurm, one task a GPU: tools/slurm_test.sh PARTITION CONFIG CHECKPOINT GPUS [options of test.py]
# The tasks share the samples; one writes what all found. Settings and what has been tried: see slurm_run.sh.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: $0 PARTITION CONFIG CHECKPOINT GPUS [options of test.py]" >&2
    exit 2
fi
exec "$(dirname "$0")/slurm_run.sh" test.py "$1" "$4" "$2" "$3" "${@:5}"
