import FoundationEssentials
import VidConfig
import VidSystem

/// Downloads published weights into the library, atomically and resumably.
///
/// Bytes go to `<file>.part` in the weights folder. A partial download is resumed (HTTP's `Range`). The complete file must match
/// the published MD5 before it gets its name; if none is published, it must hold the network's tensors. Only HTTPS with a valid certificate is allowed, unless `VIDCLASS_WEIGHTS_URL`
/// names another server: `https://`, or `http://` on this machine.
package struct WeightsDownload: Sendable {
    package let library: WeightsLibrary
    /// The base address of the sources' paths.
    package let server: URL
    /// Seconds without data after which the connection counts as dead.
    package var idleSeconds = 60

    /// libcurl. Asking for it loads it.
    package static var downloader: LazyLibrary { Transfer.library }

    /// Throws `.usage` for an address that is not allowed.
    package init(
        _ library: WeightsLibrary, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        let text = environment["VIDCLASS_WEIGHTS_URL"].flatMap { $0.isEmpty ? nil : $0 } ?? WeightsSource.server
        guard let server = URL(string: text), let host = server.host, let scheme = server.scheme?.lowercased(),
            scheme == "https" || scheme == "http" && WeightsDownload.isThisMachine(host)
        else {
            throw VidclassError(
                .usage, "VIDCLASS_WEIGHTS_URL: expected https://... (or http:// on 127.0.0.1 or localhost), found \(text.quoted)")
        }
        self.library = library
        self.server = server
    }

    private static func isThisMachine(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }

    /// Downloads `source` unless it exists already, and returns its path.
    ///
    /// `progress` receives the bytes so far and the total (nil if the server does not say), several times a second, on another
    /// thread. Throws `.inputOutput` if the server cannot be reached, answers with an error, drops the connection (the partial
    /// file is kept for the next try) or sends something else than was published (nothing is kept); `.busy` if another process
    /// is downloading it.
    package func fetch(
        _ source: WeightsSource, progress: @escaping @Sendable (_ received: Int, _ total: Int?) -> Void = { _, _ in }
    ) async throws -> String {
        let target = "\(library.weightsFolder)/\(source.fileName)"
        if FileManager.default.fileExists(atPath: target), try await fault(of: target, source) == nil { return target }
        try Folder.make(library.weightsFolder)
        let part = try PartialFile(target + ".part")
        defer { part.unlock() }
        let url = server.appendingPathComponent(source.path)
        var fault = try await fault(of: part.path, source)
        if fault != nil {
            try await transfer(url, to: part, source, progress)
            fault = try await self.fault(of: part.path, source)
        }
        if let fault {
            part.remove()
            throw VidclassError(
                .inputOutput, "\(url): \(fault); it was discarded. Try again, or import a file that you have")
        }
        try AtomicFile.publish(part.path, as: target)
        return target
    }

    /// Why the file at `path` is not that of `source`; nil if it is.
    private func fault(of path: String, _ source: WeightsSource) async throws -> String? {
        if let md5 = source.md5 {
            let found = try WeightsDownload.md5(of: path)
            return found == md5 ? nil : "the downloaded file has the MD5 \(found), but the published one is \(md5)"
        }
        do {
            let architecture = try await ImportedWeights.read(path, hdf5: library.hdf5).architecture
            return architecture == source.architecture
                ? nil : "the downloaded file holds the weights of \(architecture.label), not of \(source.name)"
        } catch let error as VidclassError where error.kind == .badData {
            return "the downloaded file cannot be used (\(error.message.replacing(path.printable + ": ", with: "")))"
        }
    }

    private func transfer(
        _ url: URL, to part: PartialFile, _ source: WeightsSource, _ progress: @escaping @Sendable (Int, Int?) -> Void
    ) async throws {
        do {
            try await Transfer(url, part, maximumBytes: source.maximumBytes, idleSeconds: idleSeconds, progress).run()
        } catch Transfer.Failure.notResumable {
            // The partial file is longer than the whole: it is not its beginning.
            try part.truncate()
            do {
                try await Transfer(url, part, maximumBytes: source.maximumBytes, idleSeconds: idleSeconds, progress).run()
            } catch Transfer.Failure.notResumable {
                throw VidclassError(.inputOutput, "\(url): the server refuses to send the file (416)")
            }
        }
    }

    private static func md5(of path: String) throws -> String {
        let file = try RegularFile(path)
        var hash = MD5()
        try file.forEachBlock(in: 0..<file.size) { hash.update($0) }
        return hash.digest().hexadecimal
    }
}
