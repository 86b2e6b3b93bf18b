#!/usr/bin/env bash
# From nothing to a trained, evaluated, predicting classifier in a few minutes: installs what is missing, builds, makes
# a small data set of synthetic clips, trains on it, evaluates the result on held-out clips and predicts one clip.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh

say() {
    if [ -t 1 ]; then printf "\n\033[1m$ %s\033[0m\n" "$*"; else printf "\n$ %s\n" "$*"; fi
    "$@"
}

say swift build -c release --product vidclass
vidclass=$(swift build -c release --show-bin-path)/vidclass
[ -d data/synth ] || say "$vidclass" synth data/synth --clips-per-class 100 --frames 8 --rows 32 --columns 32
say "$vidclass" train --config Configs/smoke.json
say "$vidclass" eval
clip=$(find data/synth -name '*.bin' | sort | head -n 1)
say "$vidclass" predict "$clip"
echo
echo "The program is $vidclass. To train on your own videos, make one folder per class (videos/CLASS/...) and run"
echo "  $vidclass train videos"
