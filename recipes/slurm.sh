#!/bin/bash
# A Ray cluster on the nodes of a SLURM job, for one command of slth; it ends with the job.
#
#   sbatch --nodes=4 recipes/slurm.sh construct net.onnx --out net.slth
#   sbatch --nodes=4 recipes/slurm.sh sweep recipe.toml --out results
#
# All nodes need the same slth with its extra `ray`, and for a sweep the same view of the folder of results, on a file
# system with locks. The job may be cut off at any time: the same command goes on where it ended. Ray listens on all
# network interfaces of all nodes: who reaches its ports and has the token below can run code as you.
#SBATCH --job-name=slth
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
set -euo pipefail

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export RAY_ADDRESS="$head:$((20000 + SLURM_JOB_ID % 20000))"
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT

srun --nodes=1 --ntasks=1 --nodelist="$head" ray start --head --block --port="${RAY_ADDRESS#*:}" \
    --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false &
others=$((SLURM_JOB_NUM_NODES - 1))
if ((others > 0)); then
    until ray health-check --address "$RAY_ADDRESS" 2>/dev/null; do sleep 1; done
    srun --nodes=$others --ntasks=$others --exclude="$head" \
        ray start --address="$RAY_ADDRESS" --block --num-cpus="$SLURM_CPUS_PER_TASK" &
fi
all=$((SLURM_JOB_NUM_NODES * SLURM_CPUS_PER_TASK))
until python -c "import ray, sys; ray.init(log_to_driver=False); sys.exit(ray.cluster_resources().get('CPU', 0) < $all)" \
    2>/dev/null; do sleep 1; done

slth "$@" --backend ray
