#!/usr/bin/env bash
# Makes the documentation's static pages from Sources/vidclass/Documentation.docc, and the reference of the library VidClassKit:
#
#   Scripts/docs.sh [FOLDER]        FOLDER (docs by default) and FOLDER/kit: any web server shows them
#
# For pages below a site's root, such as GitHub's: VIDCLASS_DOCS_BASE=vidclass Scripts/docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-docs}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
base=${VIDCLASS_DOCS_BASE:-}
# generate TARGET FOLDER BASE: the pages of a target, below BASE on their site.
generate() {
    local options=(--target "$1" --output-path "$2" --transform-for-static-hosting --warnings-as-errors
        --symbol-graph-minimum-access-level public)
    if [[ -n $3 ]]; then options+=(--hosting-base-path "$3"); fi
    swift package --allow-writing-to-directory "$folder" generate-documentation "${options[@]}"
}
# The program has no interface for other programs: its pages are articles alone.
generate vidclass "$folder" "$base"
generate VidClassKit "$folder/kit" "${base:+$base/}kit"
echo "wrote $folder; look at it with: python3 -m http.server -d $folder, at http://localhost:8000/documentation/vidclass"
echo "and http://localhost:8000/kit/documentation/vidclasskit"
