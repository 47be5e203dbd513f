#!/usr/bin/env bash
# Train on several processes of one machine: tools/dist_train.sh CONFIG PROCESSES [options of train.py]
# One process a GPU; without GPUs they run on CPUs (gloo). batch_size of the config is per process.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 2
fi
config=$1 processes=$2
shift 2

# glibc's allocator as it comes costs a sixth of a training step on a CPU; read when Python starts.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( $(nproc) / processes > 0 ? $(nproc) / processes : 1 ))}

exec "${PYTHON:-python}" -m torch.distributed.run --standalone --nproc_per_node "$processes" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
