import Foundation
import Testing
import VidCheckpoint
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// A crafted file: its name, its bytes, and a part of the expected message.
struct HostileFile: Sendable {
    let name: String
    let bytes: [UInt8]
    let reason: String

    init(_ name: String, _ bytes: [UInt8], _ reason: String) {
        self.name = name
        self.bytes = bytes
        self.reason = reason
    }

    init(_ name: String, text: String, _ reason: String) { self.init(name, Array(text.utf8), reason) }
}

/// A small trained model with its data, made once for all tests that only read it.
enum TrainedModel {
    static let config = """
        { "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null, "trainable": true },
                     "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [ { "type": "dense", "units": 8 } ] },
          "data": { "path": "data", "preprocessing": "symmetric" },
          "training": { "epochs": 1, "batch_size": 4 } }
        """

    /// A folder with `data`, `config.json` and the run `runs/train`.
    static func folder() throws -> TestFolder { try made.get() }

    private static let made = Result {
        let box = try TestFolder(config: config, classes: 2, clips: 4)
        try box.succeed("train", "--config", "config.json", "--quiet")
        return box
    }

    static func best() throws -> String { try folder()("runs/train/weights/best.safetensors") }

    /// Writes the checkpoint at `path` to `target` with changed parts and a valid checksum, by default without the digest of its
    /// splits, as the first version did.
    ///
    /// - Parameter keeps: whether a tensor of this name stays.
    static func rewrite(
        _ path: String, to target: String, config: (String) -> String = { $0 }, classes: ([String]) -> [String] = { $0 },
        state: (String) -> String = { $0 }, splits: String? = nil, keeps: (String) -> Bool = { _ in true },
        change: (String, Tensor) -> Void = { _, _ in }
    ) throws {
        let checkpoint = try Checkpoint.open(path)
        let kept = checkpoint.tensors.filter { keeps($0.name) }
        let buffers = kept.map { Buffer(count: $0.count) }
        let tensors = zip(kept, buffers).map { NamedTensor($0.name, $1.tensor(Shape($0.shape))) }
        try withExtendedLifetime(buffers) {
            for tensor in tensors {
                try checkpoint.copy(tensor.name, into: tensor.tensor)
                change(tensor.name, tensor.tensor)
            }
            try Checkpoint.write(
                to: target, config: config(checkpoint.config), classes: classes(checkpoint.classes), state: checkpoint.state.map(state),
                splits: splits, tensors: tensors)
        }
    }
}

/// Runs the program on a hostile file and expects the documented exit code, one error that names the file, nothing on standard output
/// and nothing written except to the cache.
func expectRefusal(
    _ box: TestFolder, _ arguments: [String], naming name: String, _ reason: String, status: Int32 = 65, addressSpace: Int? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let before = try listing(box)
    let result = try CommandLineTool.run(arguments, in: box.path, addressSpace: addressSpace)
    let about: Comment = "\(arguments.joined(separator: " ")): \(result.status), \(result.errors.prefix(600))"
    #expect(result.status == status, about, sourceLocation: sourceLocation)
    let lines = result.errors.split(separator: "\n")
    // Advice may follow in further lines.
    let complaints = lines.count { $0.hasPrefix("vidclass: ") }
    #expect(
        complaints == 1 && lines.count <= 8 && lines.first?.hasPrefix("vidclass: error: ") == true, about, sourceLocation: sourceLocation)
    #expect(result.errors.contains(name) && result.errors.contains(reason), about, sourceLocation: sourceLocation)
    #expect(result.errors.utf8.count < 2000 && !result.errors.contains("DecodingError"), about, sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, about, sourceLocation: sourceLocation)
    #expect(try listing(box) == before, about, sourceLocation: sourceLocation)
}

/// Everything in the folder except the cache, with sizes and times.
private func listing(_ box: TestFolder) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: box.path).filter { !$0.hasPrefix(".cache") }.sorted().map { name in
        let status = try SystemCall.status(box(name), followingLink: false)
        return "\(name) \(status.kind) \(status.kind == .file ? "\(status.size) \(status.modified)" : "")"
    }
}
