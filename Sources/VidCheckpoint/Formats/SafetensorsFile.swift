import VidConfig
import VidSystem
import VidTensor

/// A safetensors file opened for reading. The header is fully checked; values are read on demand.
///
/// See https://github.com/huggingface/safetensors for the format. The machine must be little-endian, like all that Swift supports.
package final class SafetensorsFile: Sendable {
    package let file: RegularFile
    /// The texts under `__metadata__`.
    package let metadata: [String: String]
    /// All tensors, in the order of their bytes.
    package let entries: [SafetensorsEntry]
    /// The position of the first value in the file, in bytes.
    package let dataStart: Int
    private let indices: [String: Int]

    package var path: String { file.path }

    /// Reads and checks the header. Throws `.badData` for any violation of the format.
    package convenience init(_ path: String) throws { try self.init(RegularFile(path)) }

    package init(_ file: RegularFile) throws {
        let header = try SafetensorsHeader(file)
        self.file = file
        metadata = header.metadata
        entries = header.entries
        dataStart = header.dataStart
        indices = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
    }

    /// The tensor named `name`.
    package func entry(named name: String) -> SafetensorsEntry? { indices[name].map { entries[$0] } }

    /// Reads the values of `entry` into as many floats; half, bfloat16 and double precision are converted.
    package func read(_ entry: SafetensorsEntry, into tensor: Tensor) throws {
        precondition(entry.count == tensor.count, "\(entry.name) \(entry.shapeText) into \(tensor.shape)")
        guard entry.type.isReadable else {
            throw VidclassError.file(path, "tensor \(entry.name.quoted): expected floating-point values, found \(entry.type.rawValue)")
        }
        if entry.type == .float32 {
            return try file.read(
                into: UnsafeMutableRawBufferPointer(start: tensor.base, count: entry.bytes.count), at: entry.bytes.lowerBound)
        }
        var next = tensor.base
        try file.forEachBlock(in: entry.bytes) { block in
            entry.type.convert(block, to: next)
            next += block.count / entry.type.size
        }
    }

    /// Throws `.badData` if a value of a single-precision `entry` is NaN or infinite.
    package func requireFinite(_ entry: SafetensorsEntry) throws {
        precondition(entry.type == .float32, "\(entry.name) holds \(entry.type.rawValue)")
        var passed = 0
        try file.forEachBlock(in: entry.bytes) { block in
            let values = block.assumingMemoryBound(to: Float.self)
            if let index = Finiteness.firstNonFinite(values) {
                throw Finiteness.error(path, entry.name, index: passed + index, values[index])
            }
            passed += values.count
        }
    }
}

/// Finds NaN and infinity.
enum Finiteness {
    /// The index of the first value that is not finite; nil if all are.
    static func firstNonFinite(_ values: UnsafeBufferPointer<Float>) -> Int? {
        // The addition carries into bit 31 if the exponent is all ones. Without branches the compiler vectorises the loop.
        var found: UInt32 = 0
        for value in values { found |= (value.bitPattern & 0x7F80_0000) &+ 0x0080_0000 }
        return found >> 31 == 0 ? nil : values.firstIndex { !$0.isFinite }
    }

    static func error(_ path: String, _ name: String, index: Int, _ value: Float) -> VidclassError {
        VidclassError.file(path, "tensor \(name.quoted): value \(index) is \(value); weights must be finite")
    }
}
