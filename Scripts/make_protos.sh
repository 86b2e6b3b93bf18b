#!/usr/bin/env bash
# Makes the Swift of TensorBoard's messages, Sources/VidReport/TensorBoard/Generated/, from Protos/ beside it. The result is committed:
# only who changes a .proto runs this. Needs protoc (Debian: protobuf-compiler); the plug-in is built of the swift-protobuf that
# vidclass is built with.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v protoc >/dev/null 2>&1 || { echo "make_protos: protoc was not found; on Debian: apt-get install protobuf-compiler" >&2; exit 69; }
swift package resolve
scratch=.build/protoc-gen-swift
swift build -c release --package-path .build/checkouts/swift-protobuf --scratch-path "$scratch" --product protoc-gen-swift
plugin=$(swift build -c release --package-path .build/checkouts/swift-protobuf --scratch-path "$scratch" --show-bin-path)/protoc-gen-swift
folder=Sources/VidReport/TensorBoard
protoc --plugin=protoc-gen-swift="$plugin" --proto_path="$folder/Protos" --swift_out="$folder/Generated" \
    --swift_opt=Visibility=Package --swift_opt=FileNaming=DropPath "$folder"/Protos/*.proto
