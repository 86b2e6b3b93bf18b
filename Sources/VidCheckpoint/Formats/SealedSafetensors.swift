import Crypto
import VidSystem
import VidTensor

/// Safetensors files that notice when any byte of theirs has changed.
///
/// The metadata's `checksum` is the SHA-256, 64 lower-case hexadecimal digits, of the whole file as it would be with
/// sixty-four `0` in their place. In Python:
///
///     data = open(path, "rb").read(); at = data.index(b'"checksum":"') + 12
///     assert hashlib.sha256(data[:at] + b"0" * 64 + data[at + 64:]).hexdigest() == data[at:at + 64].decode()
enum SealedSafetensors {
    private static let digits = 64
    /// Cannot be found inside a string of the header, where quotation marks are escaped.
    private static let key = Array(#""checksum":""#.utf8)

    /// A file that is ready to be written: `metadata` and the checksum, then `tensors` in their order.
    struct Image {
        private let header: [UInt8]
        private let tensors: [NamedTensor]

        /// Bytes of the file.
        var size: Int { tensors.reduce(header.count) { $0 + $1.bytes.count } }

        fileprivate init(_ header: [UInt8], _ tensors: [NamedTensor]) {
            self.header = header
            self.tensors = tensors
        }

        /// Hands the file to `body` piece by piece.
        func write(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            try header.withUnsafeBytes(body)
            for tensor in tensors { try body(tensor.bytes) }
        }

        /// Writes `path` atomically; the tensors' values must be those that were sealed.
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

    /// Computes the checksum of the file that `path` is to be.
    static func seal(_ path: String, metadata: [String: String], tensors: [NamedTensor]) throws -> Image {
        var sealed = metadata
        sealed["checksum"] = String(repeating: "0", count: digits)
        var header = try SafetensorsWriter.header(path, metadata: sealed, tensors: tensors)
        guard let place = place(in: header) else { preconditionFailure("a header without the checksum just put into it") }
        var hash = SHA256()
        hash.update(data: header)
        for tensor in tensors { hash.update(bufferPointer: tensor.bytes) }
        header.replaceSubrange(place, with: Array(hash.finalize().hexadecimal.utf8))
        return Image(header, tensors)
    }

    /// Throws where the content of `file` is not what its checksum was made of; returns the checksum.
    ///
    /// `body` gets the values on the way, block by block in their order as `RegularFile.forEachBlock` gives them. They count
    /// only when no error comes after them.
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
        hash.update(data: header)
        try file.file.forEachBlock(in: file.dataStart..<file.file.size) { block in
            hash.update(bufferPointer: block)
            try body(block)
        }
        let found = hash.finalize().hexadecimal
        guard found == expected else {
            throw VidclassError.file(
                file.path,
                "damaged: its content has the SHA-256 \(found.prefix(16))..., its checksum says \(expected.prefix(16).description.quoted)")
        }
        return found
    }

    /// Where the checksum's digits are.
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

extension RegularFile {
    /// SHA-256 of the whole file, in hexadecimal digits.
    func sha256() throws -> String {
        var hash = SHA256()
        try forEachBlock(in: 0..<size) { hash.update(bufferPointer: $0) }
        return hash.finalize().hexadecimal
    }
}
