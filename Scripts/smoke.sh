#!/usr/bin/env bash
# The smoke training: synthetic clips whose class depends only on the order of their frames; the classifier must learn it
# (validation accuracy at least 0.95), and 1 and 2 threads must write the same bytes. The program is $1, or the one built here.
set -euo pipefail
cd "$(dirname "$0")/.."
vidclass=${1:-$(swift build -c release --show-bin-path)/vidclass}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$vidclass" synth "$work/synth" --clips-per-class 100 --frames 8 --rows 32 --columns 32
"$vidclass" train --config Configs/smoke.json --set data.path="$work/synth" --set output.directory="$work/runs" --set output.name=train --threads 2
best=$(awk -F, 'NR > 1 && $6 > best { best = $6 } END { print best + 0 }' "$work/runs/train/results.csv")
echo "smoke: best validation accuracy $best"
awk -v best="$best" 'BEGIN { exit !(best >= 0.95) }' || { echo "smoke: expected at least 0.95" >&2; exit 1; }

for threads in 1 2; do
    "$vidclass" train --config Configs/smoke.json --set data.path="$work/synth" --set output.directory="$work/runs" \
        --set output.name=threads --set training.epochs=1 --threads "$threads" --quiet
done
cmp "$work/runs/threads/weights/last.safetensors" "$work/runs/threads2/weights/last.safetensors"
echo "smoke: --threads 1 and --threads 2 wrote the same bytes"
