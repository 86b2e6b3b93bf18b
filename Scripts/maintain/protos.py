"""Makes the Swift code of TensorBoard's and ONNX's messages from their Protos folders.

    PYTHONPATH=Scripts python3 -m maintain.protos

The result in Generated, beside each Protos, is committed: run this after changing a .proto. Needs protoc (Debian:
protobuf-compiler); its plug-in is built from the swift-protobuf that vidclass is built with.
"""

import shutil
import subprocess
import sys

from . import environment, process


def main() -> None:
    environment.parser(__doc__).parse_args()
    if shutil.which("protoc") is None:
        sys.exit("error: protoc was not found; on Debian: apt-get install protobuf-compiler")
    root = environment.REPOSITORY
    subprocess.run(["swift", "package", "resolve"], cwd=root, check=True)
    binaries = process.build("protoc-gen-swift", "--package-path", ".build/checkouts/swift-protobuf", "--scratch-path", ".build/protoc-gen-swift")
    for folder in [root / "Sources/VidReport/TensorBoard", root / "Sources/VidCheckpoint/Formats/ONNX"]:
        command = ["protoc", f"--plugin=protoc-gen-swift={binaries / 'protoc-gen-swift'}", f"--proto_path={folder / 'Protos'}",
                   f"--swift_out={folder / 'Generated'}", "--swift_opt=Visibility=Package", "--swift_opt=FileNaming=DropPath"]
        subprocess.run([*command, *sorted(folder.glob("Protos/*.proto"))], check=True)


if __name__ == "__main__":
    main()
