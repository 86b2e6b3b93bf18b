import VidCheckpoint
import VidConfig
import VidSystem
import VidTensor

/// The part of a network that is exported.
package enum ExportedPart: String, CaseIterable, Sendable {
    /// From frames to scores.
    case whole
    /// From one frame to its features.
    case encoder
    /// From a clip's features to scores.
    case head
}

/// A file in another program's format.
package protocol ExportedFile {
    /// All of the model's numbers in it.
    var tensors: [ExportedTensor] { get }

    func write(to file: AtomicFile) throws

    /// The numbers that the file at `path` holds, decoded from its bytes.
    func readBack(_ path: String) throws -> [WrittenTensor]
}

/// A tensor that was read from an exported file.
package struct WrittenTensor {
    package let name: String
    package let shape: [Int]
    package let values: [Float]

    package init(name: String, shape: [Int], values: [Float]) { (self.name, self.shape, self.values) = (name, shape, values) }
}

extension ExportedFile {
    /// The largest file: protocol buffers end there, and other programs count in 32 bits.
    package var mostBytes: Int { Int(Int32.max) }

    /// Writes the file, reads it back and compares every number with the model's; only then it gets its name.
    ///
    /// - Throws: `.badData` if the file would be too large, `.inputOutput` if it cannot be written or differs from the model.
    package func save(to path: String) throws {
        try checkSize(path, limit: mostBytes)
        try AtomicFile.write(to: path, followingLink: true) { file in
            try write(to: file)
            try verify(readBack(file.temporary), path)
        }
    }

    /// - Throws: `.badData` if the numbers alone take more than `limit` bytes.
    package func checkSize(_ path: String, limit: Int) throws {
        let bytes = tensors.reduce(0) { Size.sum([$0, $1.bytes]) }
        // The rest of the file is a few megabytes at most.
        guard bytes <= limit - limit / 64 else {
            throw VidclassError.file(
                path,
                "the model's \(bytes >> 20) MiB of weights are too many for one file of at most \(limit >> 20) MiB; export its parts with "
                    + "--part encoder and --part head")
        }
    }

    /// - Throws: `.inputOutput` unless `found` are the model's numbers.
    package func verify(_ found: [WrittenTensor], _ path: String) throws {
        func fault(_ what: String) -> VidclassError {
            VidclassError.file(
                path, "the written file does not hold the model: \(what). Nothing is kept; check the disk and try again", kind: .inputOutput
            )
        }
        var written = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
        guard written.count == found.count else { throw fault("two tensors have one name") }
        for tensor in tensors {
            guard let own = written.removeValue(forKey: tensor.name) else { throw fault("the tensor \(tensor.name.quoted) is missing") }
            guard own.shape == tensor.shape, own.values.count == tensor.count else {
                throw fault("the tensor \(tensor.name.quoted) is \(own.shape), expected \(tensor.shape)")
            }
            // guard: exported-numbers
            if let difference = tensor.difference(in: own.values) {
                throw fault(
                    "number \(difference.index) of the tensor \(tensor.name.quoted) is \(difference.found), expected \(difference.expected)"
                )
            }
        }
        if let other = written.keys.min() { throw fault("the tensor \(other.quoted) is not part of the model") }
    }
}

extension ExportedNetwork {
    /// Metadata of exported files, by key.
    package func metadata(_ part: ExportedPart) -> [(String, String)] {
        [
            ("part", part.rawValue), ("classes", JSONNode.array(classes.map { .string($0) }).text()),
            ("config", configuration.json.text()), ("checkpoint", checkpoint),
        ]
    }
}

extension UnsafeRawBufferPointer {
    /// Little-endian floats.
    package var floats: [Float] {
        [Float](unsafeUninitializedCapacity: count / MemoryLayout<Float>.stride) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: self[..<(buffer.count * MemoryLayout<Float>.stride)]))
            initialized = buffer.count
        }
    }
}
