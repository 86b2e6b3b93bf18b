import VidCheckpoint
import VidConfig
import VidData
import VidSystem
import VidTensor

/// The parsers of bytes that come from strangers.
enum FuzzedParser: String, CaseIterable {
    case clip, npy, safetensors, checkpoint, weights, config, csv, hdf5

    /// Feeds `bytes` to the parser.
    func check(_ bytes: [UInt8]) {
        switch self {
        case .clip:
            FuzzedParser.refusing { try FuzzedParser.readClip(InputFile.shared.hold(bytes)) }
            // A checksum would keep every change of the fuzzer's out; with the right one, what is behind it is reached.
            FuzzedParser.refusing { try FuzzedParser.readClip(InputFile.shared.hold(ClipSums.mended(bytes))) }
        case .npy:
            FuzzedParser.refusing { FuzzedParser.require(clip: try NumpyFile.read(InputFile.shared.hold(bytes))) }
        case .safetensors:
            FuzzedParser.refusing { FuzzedParser.require(tensors: try SafetensorsFile(InputFile.shared.hold(bytes)), of: bytes.count) }
        case .checkpoint:
            FuzzedParser.refusing { _ = try Checkpoint.open(InputFile.shared.hold(bytes)) }
            FuzzedParser.refusing { _ = try Checkpoint.open(InputFile.shared.hold(CheckpointSeal.mended(bytes))) }
        case .weights:
            // HDF5 has a parser of its own here, and elsewhere a child.
            guard !bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) else { return }
            for content in [bytes, CheckpointSeal.mended(bytes)] {
                FuzzedParser.refusing {
                    FuzzedParser.require(finite: try ImportedWeights.read(InputFile.shared.hold(content), hdf5: .inThisProcess))
                }
            }
        case .config:
            FuzzedParser.refusing {
                let configuration = try RunConfiguration(json: bytes, source: "input")
                let again = try RunConfiguration(json: configuration.text, source: "its own text")
                precondition(configuration == again, "a configuration does not read back: \(configuration.text)")
            }
        case .csv:
            FuzzedParser.refusing {
                let table = try CSVTable(bytes, path: "input")
                // A line of one empty field is an empty line.
                guard table.header.count > 1 else { return }
                let text = ([table.header] + table.records.map(\.fields)).map { CSVText.line($0) }.joined()
                let again = try CSVTable(Array(text.utf8), path: "its own text")
                precondition(
                    again.header == table.header && again.records.map(\.fields) == table.records.map(\.fields), "a table does not read back"
                )
            }
        case .hdf5:
            FuzzedParser.refusing { FuzzedParser.require(finite: try KerasWeights.read(InputFile.shared.hold(bytes))) }
        }
    }

    /// Runs `body`; an error made for users is a refusal, any other a finding.
    private static func refusing(_ body: () throws -> Void) {
        do {
            try body()
        } catch let error as VidclassError {
            precondition(!error.message.isEmpty && !error.message.contains("\n"), "no line of its own: \(error.message)")
            precondition(error.kind != .other, "a refusal without a kind: \(error.message)")
        } catch {
            preconditionFailure("an error that is not made for users: \(error)")
        }
    }

    private static func readClip(_ path: String) throws { require(clip: try ClipFile.read(path)) }

    private static func require(clip: Clip) {
        switch clip.pixels {
        case .bytes(let values): precondition(values.count == clip.shape.count, "\(values.count) values of \(clip.shape.count)")
        case .floats(let values):
            precondition(values.count == clip.shape.count, "\(values.count) values of \(clip.shape.count)")
            precondition(values.allSatisfy(\.isFinite), "a value that is not finite was taken")
        }
        precondition(clip.framesPerSecond >= 0 && clip.framesPerSecond.isFinite, "\(clip.framesPerSecond) frames a second")
    }

    private static func require(finite weights: ImportedWeights) {
        // The tensors are views of what `weights` owns.
        withExtendedLifetime(weights) {
            for tensor in weights.tensors {
                let values = UnsafeBufferPointer(start: tensor.tensor.base, count: tensor.tensor.count)
                precondition(values.allSatisfy(\.isFinite), "\(tensor.name) has a value that is not finite")
            }
        }
    }

    /// The tensors lie one behind the other and fill the file to its end.
    private static func require(tensors file: SafetensorsFile, of size: Int) {
        let byPlace = file.entries.sorted { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        for (one, next) in zip(byPlace, byPlace.dropFirst()) {
            precondition(one.bytes.upperBound == next.bytes.lowerBound, "a hole or an overlap: \(one.name), \(next.name)")
        }
        precondition(byPlace.isEmpty || byPlace.last?.bytes.upperBound == size, "bytes that belong to no tensor")
        precondition(Set(file.entries.map(\.name)).count == file.entries.count, "a name twice")
        for entry in file.entries {
            precondition(entry.shape.count <= 8 && entry.shape.allSatisfy { $0 >= 0 }, "the shape \(entry.shape)")
            precondition(
                entry.shape.reduce(1, *) * entry.type.size == entry.bytes.count, "\(entry.shape) against \(entry.bytes.count) bytes")
        }
    }
}
