#!/usr/bin/env bash
# Test on several processes: tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of test.py]
# The processes share the samples; one writes what all found. batch_size of the config is per process.
# Several machines, which then share the folder of the results: see dist_run.sh.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT PROCESSES [options of test.py]" >&2
    exit 2
fi
exec "$(dirname "$0")/dist_run.sh" test.py "$3" "$1" "$2" "${@:4}"
