import VidCheckpoint
import VidConfig
import VidData
import VidSystem
import VidTensor

/// The parsers of untrusted bytes.
enum FuzzedParser: String, CaseIterable {
    case kind, clip, npy, safetensors, checkpoint, weights, config, csv, table, hdf5, reader, records

    /// Feeds `bytes` to the parser.
    func check(_ bytes: [UInt8]) {
        switch self {
        case .kind: _ = FileContent(head: Array(bytes.prefix(FileContent.headSize)))
        case .clip:
            FuzzedParser.refusing { try FuzzedParser.readClip(InputFile.shared.hold(bytes)) }
            // The checksums would stop all changes by the fuzzer; correcting them lets it reach the code behind them.
            FuzzedParser.refusing { try FuzzedParser.readClip(InputFile.shared.hold(Checksums.correctedClip(bytes))) }
        case .npy:
            FuzzedParser.refusing { FuzzedParser.require(clip: try NumpyFile.read(InputFile.shared.hold(bytes))) }
        case .safetensors:
            FuzzedParser.refusing { FuzzedParser.require(tensors: try SafetensorsFile(InputFile.shared.hold(bytes)), of: bytes.count) }
        case .checkpoint:
            FuzzedParser.refusing { _ = try Checkpoint.open(InputFile.shared.hold(bytes)) }
            FuzzedParser.refusing { _ = try Checkpoint.open(InputFile.shared.hold(Checksums.correctedSeal(bytes))) }
        case .weights:
            // HDF5 is tested by itself.
            guard !bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) else { return }
            FuzzedParser.refusing {
                _ = try ZipFile.entry("model.weights.h5", of: RegularFile(InputFile.shared.hold(bytes)), limit: 1 << 20)
            }
            for content in [bytes, Checksums.correctedSeal(bytes)] {
                FuzzedParser.refusing {
                    FuzzedParser.require(finite: try ImportedWeights.readWithoutHDF5(RegularFile(InputFile.shared.hold(content))))
                }
            }
        case .config:
            FuzzedParser.refusing {
                let configuration = try RunConfiguration(json: bytes, source: "input")
                let again = try RunConfiguration(json: configuration.text, source: "its own text")
                precondition(configuration == again, "the configuration does not read back the same: \(configuration.text)")
            }
        case .csv:
            FuzzedParser.refusing {
                let table = try CSVTable(bytes, path: "input")
                // A line with one empty field would be an empty line, which is skipped.
                guard table.header.count > 1 else { return }
                let text = ([table.header] + table.records.map(\.fields)).map { CSVText.line($0.map(CSVText.cell)) }.joined()
                let again = try CSVTable(Array(text.utf8), path: "its own text")
                precondition(
                    again.header == table.header && again.records.map(\.fields) == table.records.map(\.fields),
                    "the table does not read back the same"
                )
            }
        case .table: FuzzedParser.refusing { try FuzzedTable.check(bytes) }
        case .hdf5:
            FuzzedParser.refusing { FuzzedParser.require(finite: try KerasWeights.read(InputFile.shared.hold(bytes))) }
        case .reader: FuzzedParser.refusing { try FuzzedMessage.check(bytes) }
        case .records:
            FuzzedRecords.check(facts: bytes)
            for content in [bytes, Checksums.correctedRecords(bytes)] {
                FuzzedParser.refusing { try FuzzedRecords.check(file: InputFile.shared.hold(content)) }
            }
        }
    }

    /// Runs `body`. A `VidclassError` means that the input was refused; any other error is a finding.
    private static func refusing(_ body: () throws -> Void) {
        do {
            try body()
        } catch let error as VidclassError {
            precondition(!error.message.isEmpty && !error.message.contains("\n"), "the message is not one line: \(error.message)")
            precondition(error.kind != .other, "the error has no specific kind: \(error.message)")
        } catch {
            preconditionFailure("the error is not a VidclassError: \(error)")
        }
    }

    private static func readClip(_ path: String) throws { require(clip: try ClipFile.read(path)) }

    private static func require(clip: Clip) {
        switch clip.pixels {
        case .bytes(let values): precondition(values.count == clip.shape.count, "\(values.count) values of \(clip.shape.count)")
        case .floats(let values):
            precondition(values.count == clip.shape.count, "\(values.count) values of \(clip.shape.count)")
            precondition(values.allSatisfy(\.isFinite), "a value that is not finite was accepted")
        }
        precondition(clip.framesPerSecond >= 0 && clip.framesPerSecond.isFinite, "\(clip.framesPerSecond) frames a second")
    }

    private static func require(finite weights: ImportedWeights) {
        // `weights` owns the memory of its tensors.
        withExtendedLifetime(weights) {
            for tensor in weights.tensors {
                let values = UnsafeBufferPointer(start: tensor.tensor.base, count: tensor.tensor.count)
                precondition(values.allSatisfy(\.isFinite), "\(tensor.name) has a value that is not finite")
            }
        }
    }

    /// Requires that the tensors are contiguous and end at the end of the file.
    private static func require(tensors file: SafetensorsFile, of size: Int) {
        let byPlace = file.entries.sorted { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        for (one, next) in zip(byPlace, byPlace.dropFirst()) {
            precondition(one.bytes.upperBound == next.bytes.lowerBound, "there is a hole or an overlap: \(one.name), \(next.name)")
        }
        precondition(byPlace.isEmpty || byPlace.last?.bytes.upperBound == size, "the last tensor does not end at the end of the file")
        precondition(Set(file.entries.map(\.name)).count == file.entries.count, "two tensors have the same name")
        for entry in file.entries {
            precondition(entry.shape.count <= 8 && entry.shape.allSatisfy { $0 >= 0 }, "the shape \(entry.shape)")
            precondition(
                entry.shape.reduce(1, *) * entry.type.size == entry.bytes.count, "\(entry.shape) against \(entry.bytes.count) bytes")
        }
    }
}

/// A file in memory that contains one input after another, for parsers that read files.
private final class InputFile: Sendable {
    static let shared = InputFile()

    private let path = "/dev/shm/vidclass-fuzz-\(getpid()).bin"
    private let descriptor: Int32

    private init() {
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "\(path): cannot be made: \(SystemCall.reason())")
        atexit { unlink(InputFile.shared.path) }
    }

    /// Replaces the file's content by `bytes` and returns its path.
    func hold(_ bytes: [UInt8]) -> String {
        precondition(ftruncate(descriptor, 0) == 0, "\(path): \(SystemCall.reason())")
        let code = bytes.withUnsafeBytes { SystemCall.write($0, to: descriptor, at: 0) }
        precondition(code == 0, "\(path): \(SystemCall.reason(code))")
        return path
    }
}
