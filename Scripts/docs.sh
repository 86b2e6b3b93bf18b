#!/usr/bin/env bash
# Makes the documentation's static pages from Sources/vidclass/Documentation.docc:
#
#   Scripts/docs.sh [FOLDER]        FOLDER (docs by default): any web server shows it
#
# For pages below a site's root, such as GitHub's: VIDCLASS_DOCS_BASE=vidclass Scripts/docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-docs}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# The program has no interface for other programs: the pages are articles alone.
options=(--target vidclass --output-path "$folder" --transform-for-static-hosting --warnings-as-errors
    --symbol-graph-minimum-access-level public)
if [[ -n ${VIDCLASS_DOCS_BASE:-} ]]; then options+=(--hosting-base-path "$VIDCLASS_DOCS_BASE"); fi
swift package --allow-writing-to-directory "$folder" generate-documentation "${options[@]}"
echo "wrote $folder; look at it with: python3 -m http.server -d $folder, at http://localhost:8000/documentation/vidclass"
