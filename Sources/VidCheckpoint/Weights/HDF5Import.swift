import CHDF5
import VidSystem

/// Where the HDF5 library, which its makers say is not safe for hostile files, may read a file.
///
/// A reader gets the open file and returns the expected float tensors as a safetensors file, which is checked as strictly as any
/// other file.
package enum HDF5Import: Sendable {
    /// In this process; for tests of the reader.
    case inThisProcess
    /// In a reader, for which this process waits for at most some seconds.
    case inReader(Readers = .shared, seconds: Int = HDF5Import.seconds)

    /// The most bytes that a reader may return; VGG19's convolutions have 80 MB.
    private static let outputLimit = 512 << 20
    /// Reading VGG19 takes less than one second.
    package static let seconds = 60

    /// The kind of the request, whose payload is a ``Request``.
    private static let request = ReaderMessage.firstFree
    /// The kind of the answers, which are the parts of a safetensors file.
    private static let part = ReaderMessage.firstFree

    /// The VGG weights in the HDF5 file at `path`.
    ///
    /// Throws `.badData` if the file is damaged, hostile, or not a Keras VGG.
    func read(_ path: String) async throws -> ImportedWeights {
        let file = try RegularFile(path)
        return try await read(file, named: path, sha256: file.sha256(), network: nil)
    }

    /// The same for the open HDF5 file `file`, which is (part of) the file that the user knows as `path`, with the SHA-256 `sha256`.
    ///
    /// - Parameter network: whose weights it has; nil if the layers' names tell it.
    func read(_ file: RegularFile, named path: String, sha256: String, network: KerasWeights.Network?) async throws -> ImportedWeights {
        let configuration = network.map { WeightsFile.configuration($0.architecture, $0.preprocessing).text() }
        let request = Request(path: path, size: file.size, sha256: sha256, network: configuration ?? "")
        switch self {
        case .inThisProcess: return try HDF5Import.weights(request, descriptor: file.descriptor)
        case .inReader(let readers, let seconds): return try await HDF5Import.read(file, request, readers, seconds: seconds)
        }
    }

    private static func read(
        _ file: RegularFile, _ about: Request, _ readers: Readers, seconds: Int
    ) async throws -> ImportedWeights {
        let path = about.path
        let received = try MemoryFile(name: "vidclass-hdf5")
        try await readers.withReader(
            for: path, library: "the HDF5 library", timeLimit: .seconds(seconds), outputLimit: outputLimit
        ) { session in
            try await session.send(request, about.bytes, file: file)
            let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { block.deallocate() }
            while true {
                let (kind, length) = try await session.reply()
                if kind == ReaderMessage.done { break }
                guard kind == part else { throw session.unexpected() }
                for start in stride(from: 0, to: length, by: block.count) {
                    let target = UnsafeMutableRawBufferPointer(rebasing: block[..<min(block.count, length - start)])
                    try await session.read(into: target)
                    try received.append(UnsafeRawBufferPointer(target))
                }
            }
        }
        do {
            return try WeightsFile.readHandedOver(received.path, source: path, sha256: about.sha256)
        } catch let error as VidclassError {
            throw VidclassError(error.kind, error.message.replacing(received.path, with: path.printable))
        }
    }
}

// MARK: - In the reader

extension HDF5Import {
    /// The description of the open file that a reader gets.
    private struct Request {
        /// For messages.
        let path: String
        let size: Int
        /// 64 hexadecimal digits.
        let sha256: String
        /// JSON of the network and its preprocessing, or empty.
        let network: String

        private static let fixed = 8 + 8 + 64

        init(path: String, size: Int, sha256: String, network: String) {
            self.path = path
            self.size = size
            self.sha256 = sha256
            self.network = network
        }

        init(_ bytes: [UInt8]) {
            precondition(bytes.count >= Request.fixed, "the parent sent \(bytes.count) bytes")
            size = Int(clamping: LittleEndian.value(bytes, 0, as: Int64.self))
            sha256 = String(decoding: bytes[16..<Request.fixed], as: UTF8.self)
            let rest = bytes[Request.fixed...]
            let length = min(Int(clamping: LittleEndian.value(bytes, 8, as: Int64.self)), rest.count)
            network = String(decoding: rest.prefix(length), as: UTF8.self)
            path = String(decoding: rest.dropFirst(length), as: UTF8.self)
        }

        var bytes: [UInt8] {
            LittleEndian.bytes(Int64(size)) + LittleEndian.bytes(Int64(network.utf8.count)) + Array(sha256.utf8) + Array(network.utf8)
                + Array(path.utf8)
        }
    }

    /// The reader's work.
    package static let handlers: [UInt32: ReaderService.Handler] = [
        request: { request, parent in
            guard let descriptor = request.descriptor else { throw VidclassError(.other, "no file came with the request") }
            let weights = try weights(Request(request.payload), descriptor: descriptor)
            try WeightsFile.sealed(weights).write { try parent.send(part, $0) }
        }
    ]

    /// Reads an open file.
    private static func weights(_ about: Request, descriptor: Int32) throws -> ImportedWeights {
        let configuration = try? JSONParser.parse(about.network)
        return try KerasWeights.read(
            HDF5File.Source(path: about.path, descriptor: descriptor, size: about.size), sha256: about.sha256,
            network: configuration.map { try WeightsFile.exportedNetwork($0, about.path) })
    }

    /// The HDF5 library. Asking for it loads it.
    package static var library: LazyLibrary { HDF5File.library }

    /// Loads the library and lets it open what it needs later, before a reader may open nothing.
    package static func prepare() { _ = vc_hdf5_prepare() }
}
