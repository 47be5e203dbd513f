#!/usr/bin/env bash
# Start a tool in several processes: tools/dist_run.sh TOOL.py PROCESSES [arguments of the tool]
# One process a GPU; without GPUs they run on CPUs (gloo). dist_train.sh and dist_test.sh call this.
#
# On several machines, call the same on each, with these variables:
#   NNODES       number of machines (default 1)
#   NODE_RANK    number of this machine, from 0 (default 0)
#   MASTER_ADDR  address of machine 0
#   PORT         free port of machine 0 (default 29500)
# On one machine the port is chosen by itself, so that several runs do not meet.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 TOOL.py PROCESSES [arguments of the tool]" >&2
    exit 2
fi
tool=$1 processes=$2
shift 2
if ! [[ $processes =~ ^[1-9][0-9]*$ ]]; then
    echo "error: PROCESSES is the number of processes on this machine, not '$processes'" >&2
    exit 2
fi

nnodes=${NNODES:-1}
if [ "$nnodes" = 1 ]; then
    meeting=(--standalone)
else
    if [ -z "${MASTER_ADDR:-}" ]; then
        echo "error: NNODES=$nnodes machines need MASTER_ADDR, the address of machine 0, on each of them" >&2
        exit 2
    fi
    meeting=(--nnodes "$nnodes" --node_rank "${NODE_RANK:-0}" --master_addr "$MASTER_ADDR" --master_port "${PORT:-29500}")
fi

# glibc's allocator as it comes costs a sixth of a training step on a CPU; read when Python starts.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( $(nproc) / processes > 0 ? $(nproc) / processes : 1 ))}

exec "${PYTHON:-python}" -m torch.distributed.run "${meeting[@]}" --nproc_per_node "$processes" \
    "$(dirname "$0")/$tool" "$@" --launcher pytorch
