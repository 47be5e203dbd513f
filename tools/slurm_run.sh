#!/usr/bin/env bash
# Start a tool under Slurm, one task a GPU: tools/slurm_run.sh TOOL.py PARTITION GPUS [arguments of the tool]
# slurm_train.sh and slurm_test.sh call this. No Slurm has run it yet: the tests put a stand-in for srun on the PATH.
#
#   GPUS_PER_NODE  GPUS or 8, whichever is less, by default
#   CPUS_PER_TASK  4 by default: the workers of a data loader want as many
#   SRUN_ARGS      further options of srun, "--time=1-0" for instance
#   PYTHON         the interpreter, "python" by default
# The tasks meet at a port that follows from the number of the job, so that jobs on one machine do not meet each other;
# MASTER_PORT sets another.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 TOOL.py PARTITION GPUS [arguments of the tool]" >&2
    exit 2
fi
tool=$1 partition=$2 gpus=$3
shift 3
if ! [[ $gpus =~ ^[1-9][0-9]*$ ]]; then
    echo "error: GPUS is the number of GPUs on all machines together, not '$gpus'" >&2
    exit 2
fi
gpus_per_node=${GPUS_PER_NODE:-$(( gpus < 8 ? gpus : 8 ))}

# glibc's allocator as it comes costs a sixth of a training step on a CPU; read when Python starts.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456

# shellcheck disable=SC2086  # SRUN_ARGS holds several words
exec srun -p "$partition" --job-name=i2vkit --gres=gpu:"$gpus_per_node" --ntasks="$gpus" \
    --ntasks-per-node="$gpus_per_node" --cpus-per-task="${CPUS_PER_TASK:-4}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$(dirname "$0")/$tool" "$@" --launcher slurm
