import VidSystem
import VidTensor

/// Safetensors files with a checksum that detects any changed byte.
///
/// The metadata's `checksum` is the SHA-256, 64 lower-case hexadecimal digits, of the whole file with
/// sixty-four `0` in place of these digits. In Python:
///
///     data = open(path, "rb").read(); at = data.index(b'"checksum":"') + 12
///     assert hashlib.sha256(data[:at] + b"0" * 64 + data[at + 64:]).hexdigest() == data[at:at + 64].decode()
enum SealedSafetensors {
    private static let digits = 64
    /// Cannot occur inside a string of the header, where quotation marks are escaped.
    private static let key = Array(#""checksum":""#.utf8)

    /// A file ready to be written: `metadata` and the checksum, then `tensors` in their order.
    struct Image {
        private let header: [UInt8]
        private let tensors: [NamedTensor]

        /// The size of the file in bytes.
        var size: Int { tensors.reduce(header.count) { $0 + $1.bytes.count } }

        fileprivate init(_ header: [UInt8], _ tensors: [NamedTensor]) {
            self.header = header
            self.tensors = tensors
        }

        /// Passes the file to `body` piece by piece.
        func write(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            try header.withUnsafeBytes(body)
            for tensor in tensors { try body(tensor.bytes) }
        }

        /// Writes `path` atomically; the tensors' values must not have changed since.
        func write(to path: String, temporaryFolder: String? = nil, calls: FileCalls = .posix) throws {
            try AtomicFile.write(to: path, temporaryFolder: temporaryFolder, calls: calls) { file in
                try file.write(header)
                for tensor in tensors { try file.write(tensor.bytes) }
            }
        }
    }

    /// Writes `path` atomically: `metadata` and the checksum, then `tensors` in their order.
    static func write(to path: String, metadata: [String: String], tensors: [NamedTensor], calls: FileCalls = .posix) throws {
        try seal(path, metadata: metadata, tensors: tensors).write(to: path, calls: calls)
    }

    /// Computes the checksum of the file to be written to `path`.
    static func seal(_ path: String, metadata: [String: String], tensors: [NamedTensor]) throws -> Image {
        var sealed = metadata
        sealed["checksum"] = String(repeating: "0", count: digits)
        var header = try SafetensorsWriter.header(path, metadata: sealed, tensors: tensors)
        guard let place = place(in: header) else { preconditionFailure("a header without the checksum just put into it") }
        var hash = SHA256()
        hash.update(header)
        for tensor in tensors { hash.update(tensor.bytes) }
        header.replaceSubrange(place, with: Array(hash.digest().hexadecimal.utf8))
        return Image(header, tensors)
    }

    /// Throws `.badData` if the content of `file` does not match its checksum; returns the checksum.
    ///
    /// `body` receives the values block by block, as `RegularFile.forEachBlock` passes them. They are valid only if no error
    /// follows.
    @discardableResult
    static func verify(_ file: SafetensorsFile, _ body: (UnsafeRawBufferPointer) throws -> Void = { _ in }) throws -> String {
        var header = try file.file.bytes(at: 0, count: file.dataStart)
        guard let expected = file.metadata["checksum"], let place = place(in: header),
            header[place].elementsEqual(expected.utf8)
        else {
            throw VidclassError.file(
                file.path, "no checksum of \(digits) digits in its metadata; it was not written by vidclass, or is damaged")
        }
        header.replaceSubrange(place, with: repeatElement(UInt8(ascii: "0"), count: digits))
        var hash = SHA256()
        hash.update(header)
        try file.file.forEachBlock(in: file.dataStart..<file.file.size) { block in
            hash.update(block)
            try body(block)
        }
        let found = hash.digest().hexadecimal
        // guard: checkpoint-checksum
        guard found == expected else {
            throw VidclassError.file(
                file.path,
                "damaged: its content has the SHA-256 \(found.prefix(16))..., its checksum says \(expected.prefix(16).description.quoted)")
        }
        return found
    }

    /// The position of the checksum's digits.
    private static func place(in header: [UInt8]) -> Range<Int>? {
        var start = 8
        while start + key.count + digits < header.count {
            if header[start] == key[0], header[start..<start + key.count].elementsEqual(key) {
                return start + key.count..<start + key.count + digits
            }
            start += 1
        }
        return nil
    }
}

/// A tensor with its name in a file. Its creator must keep the owner of the values alive.
package struct NamedTensor: Sendable {
    package let name: String
    package let tensor: Tensor

    package init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }

    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: tensor.base, count: tensor.count * MemoryLayout<Float>.stride)
    }
}

/// Writes safetensors files of single-precision tensors: the same tensors and metadata give the same bytes.
package enum SafetensorsWriter {
    /// The length and the JSON of a header: metadata first, sorted by key, then the tensors in the order given, which is
    /// the order of their values; trailing spaces align the values to 64 bytes.
    package static func header(_ path: String, metadata: [String: String], tensors: [NamedTensor]) throws -> [UInt8] {
        var members: [(String, JSONNode)] = []
        if !metadata.isEmpty {
            let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            members.append(("__metadata__", .object(sorted.map { ($0.key, .string($0.value)) })))
        }
        var end = 0
        var names = Set<String>()
        for tensor in tensors {
            precondition(names.insert(tensor.name).inserted && tensor.name != "__metadata__", "two tensors named \(tensor.name)")
            let shape = tensor.tensor.shape.dimensions.map { JSONNode.integer($0) }
            let start = end
            end += tensor.bytes.count
            members.append((tensor.name, ["dtype": "F32", "shape": .array(shape), "data_offsets": [.integer(start), .integer(end)]]))
        }
        var text = Array(JSONNode.object(members).text().utf8)
        text += repeatElement(UInt8(ascii: " "), count: (64 - (8 + text.count) % 64) % 64)
        guard text.count <= SafetensorsHeader.maximumLength else {
            throw VidclassError(
                .other,
                "\(path.printable): its header would have \(text.count) bytes; at most \(SafetensorsHeader.maximumLength) can be read back")
        }
        return LittleEndian.bytes(UInt64(text.count)) + text
    }
}

extension RegularFile {
    /// SHA-256 of the whole file, in hexadecimal digits.
    func sha256() throws -> String {
        var hash = SHA256()
        try forEachBlock(in: 0..<size) { hash.update($0) }
        return hash.digest().hexadecimal
    }
}
