#!/usr/bin/env bash
# Train under Slurm, one task a GPU: tools/slurm_train.sh PARTITION CONFIG GPUS [options of train.py]
# UNTESTED: there was no Slurm where this was written. Options for srun itself: SRUN_ARGS="--time=1-0".
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 PARTITION CONFIG GPUS [options of train.py]" >&2
    exit 2
fi
partition=$1 config=$2 gpus=$3
shift 3
gpus_per_node=${GPUS_PER_NODE:-$(( gpus < 8 ? gpus : 8 ))}

# glibc's allocator as it comes costs a sixth of a training step on a CPU; read when Python starts.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456

# shellcheck disable=SC2086  # SRUN_ARGS holds several words
exec srun -p "$partition" --job-name=i2vkit --gres=gpu:"$gpus_per_node" --ntasks="$gpus" \
    --ntasks-per-node="$gpus_per_node" --cpus-per-task="${CPUS_PER_TASK:-4}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$(dirname "$0")/train.py" "$config" --launcher slurm "$@"
