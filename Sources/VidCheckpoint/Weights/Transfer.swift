import CCurl
import FoundationEssentials
import Synchronization
import VidSystem

/// One HTTP request whose response is appended to a partial file as it arrives, by libcurl.
final class Transfer: @unchecked Sendable {
    enum Failure: Error {
        /// The server has no bytes after the end of the partial file (416).
        case notResumable
    }

    /// libcurl, whose version is such as `7.88.1`. Asking for it loads it.
    static var library: LazyLibrary {
        LazyLibrary(
            "libcurl", for: "downloading weights", packages: "libcurl4 ca-certificates", load: vc_curl_load, readVersion: vc_curl_version)
    }

    private let url: URL
    private let part: PartialFile
    private let maximumBytes: Int
    private let idleSeconds: Int
    private let progress: @Sendable (Int, Int?) -> Void
    private let isCancelled = Atomic(false)

    // The state of the transfer, for its thread alone.
    private var offset: Int
    private var total: Int?
    /// Why we ended the transfer.
    private var failure: (any Error)?
    private var lastReport = ContinuousClock.now - .seconds(1)

    init(
        _ url: URL, _ part: PartialFile, maximumBytes: Int, idleSeconds: Int, _ progress: @escaping @Sendable (Int, Int?) -> Void
    ) {
        self.url = url
        self.part = part
        self.maximumBytes = maximumBytes
        self.idleSeconds = idleSeconds
        self.progress = progress
        offset = part.size
    }

    /// Returns when the file is complete.
    func run() async throws {
        try Transfer.library.require()
        let thread = WaitingThread()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                thread.run { continuation.resume(with: Result { try self.transfer() }) }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    /// Makes the request, and waits for its end.
    private func transfer() throws {
        var message = [CChar](repeating: 0, count: 512)
        let status = url.absoluteString.withCString { url in
            (offset > 0 ? "\(offset)-" : "").withCString { range in
                var request = vc_curl_request()
                request.url = url
                request.range = offset > 0 ? range : nil
                request.idle_seconds = idleSeconds
                request.context = Unmanaged.passUnretained(self).toOpaque()
                request.begin = { context, status, reason, range, length in
                    Transfer.of(context).attempt {
                        try $0.begin(status, Transfer.text(reason), range: Transfer.text(range), length: Int(length))
                    }
                }
                request.receive = { context, bytes, count in
                    Transfer.of(context).attempt { try $0.receive(UnsafeRawBufferPointer(start: bytes, count: count)) }
                }
                request.refuse = { context, location in
                    Transfer.of(context).attempt { try $0.refuse(Transfer.text(location)) }
                }
                request.is_stopped = { Transfer.of($0).isCancelled.load(ordering: .relaxed) ? 1 : 0 }
                return vc_curl_get(&request, &message, message.count)
            }
        }
        if let failure { throw failure }
        let kept = offset > 0 ? "; \(offset) bytes are kept; run the command again to resume" : ""
        switch vc_curl_status(UInt32(status)) {
        case VC_CURL_DONE: break
        case VC_CURL_STOPPED: throw CancellationError()
        case VC_CURL_CUT:
            let whole = total.map { " of \($0)" } ?? ""
            throw VidclassError(.inputOutput, "\(url): the connection was cut after \(offset)\(whole) bytes\(kept)")
        default: throw VidclassError(.inputOutput, "\(url): \(Transfer.text(message))\(kept)")
        }
    }

    // MARK: - What libcurl reports

    private static func of(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context else { preconditionFailure("the request has no context") }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func text(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0).printable } ?? "" }

    /// Does the work; a failure ends the transfer.
    private func attempt(_ work: (Transfer) throws -> Void) -> Int32 {
        do {
            try work(self)
            return 0
        } catch {
            failure = error
            return 1
        }
    }

    private func refuse(_ location: String) throws {
        let scheme = String(location.prefix { $0 != ":" })
        throw VidclassError(.inputOutput, "\(url): the server redirects to another scheme (\(scheme.quoted)); this is not followed")
    }

    /// Checks the response's status and decides where its bytes go.
    private func begin(_ status: Int, _ reason: String, range: String, length: Int) throws {
        var start = 0
        switch status {
        case 200: try part.truncate()
        case 206:
            guard range.hasPrefix("bytes \(offset)-") else {
                throw VidclassError(.inputOutput, "\(url): asked for the bytes from \(offset), but the server sends \(range.quoted)")
            }
            start = offset
        case 416 where offset > 0: throw Failure.notResumable
        default:
            throw VidclassError(.inputOutput, "\(url): the server answers \(status)\(reason.isEmpty ? "" : " (\(reason))")")
        }
        let total = length >= 0 ? start + length : nil
        if let total, total > maximumBytes { throw tooLarge(total) }
        offset = start
        self.total = total
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) throws {
        guard offset + bytes.count <= maximumBytes else { throw tooLarge(offset + bytes.count) }
        try part.write(bytes, at: offset)
        offset += bytes.count
        guard ContinuousClock.now - lastReport > .milliseconds(100) || offset == total else { return }
        progress(offset, total)
        lastReport = .now
    }

    private func tooLarge(_ bytes: Int) -> VidclassError {
        VidclassError(.inputOutput, "\(url): the server sends at least \(bytes) bytes; at most \(maximumBytes) are accepted")
    }
}

/// A partially downloaded file, locked by one process at a time.
final class PartialFile: Sendable {
    let path: String
    let descriptor: Int32

    /// Opens or creates the file and locks it; throws `.busy` if another process holds it.
    init(_ path: String) throws {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else {
                throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw VidclassError(.busy, "\(path.printable): another vidclass process is downloading it")
            }
            // Another process may have renamed it between our open and our lock.
            var ours = stat()
            if fstat(descriptor, &ours) == 0, (try? SystemCall.status(path))?.identity == FileStatus(ours).identity {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit { close(descriptor) }

    /// Releases the lock before the last reference is gone.
    func unlock() { _ = flock(descriptor, LOCK_UN) }

    /// Bytes received so far.
    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let code = SystemCall.write(bytes, to: descriptor, at: offset)
        guard code == 0 else {
            throw VidclassError.file(path, "writing failed: \(SystemCall.reason(code))", kind: .inputOutput)
        }
    }

    func truncate() throws {
        guard ftruncate(descriptor, 0) == 0 else {
            throw VidclassError.file(path, "writing failed: \(SystemCall.reason())", kind: .inputOutput)
        }
    }

    func remove() { unlink(path) }
}
