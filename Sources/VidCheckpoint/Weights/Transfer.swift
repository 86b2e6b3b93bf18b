import Foundation
import FoundationNetworking
import Synchronization
import VidSystem

/// One HTTP request whose response is appended to a partial file as it arrives.
final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
    enum Failure: Error {
        /// The server has no bytes after the end of the partial file (416).
        case notResumable
    }

    private struct State {
        var offset: Int
        var total: Int?
        /// Why we cancelled the transfer; the session's own error is then a consequence.
        var failure: (any Error)?
        var continuation: CheckedContinuation<Void, any Error>?
        var lastReport = ContinuousClock.now - .seconds(1)
    }

    private let url: URL
    private let part: PartialFile
    private let maximumBytes: Int
    private let idleSeconds: Double
    private let progress: @Sendable (Int, Int?) -> Void
    private let state: Mutex<State>

    init(
        _ url: URL, _ part: PartialFile, maximumBytes: Int, idleSeconds: Double, _ progress: @escaping @Sendable (Int, Int?) -> Void
    ) {
        self.url = url
        self.part = part
        self.maximumBytes = maximumBytes
        self.idleSeconds = idleSeconds
        self.progress = progress
        state = Mutex(State(offset: part.size))
    }

    /// Returns when the file is complete.
    func run() async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = idleSeconds
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        var request = URLRequest(url: url)
        // Ask for the uncompressed file, since `Range` would count compressed bytes otherwise.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        let offset = state.withLock { $0.offset }
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        let task = session.dataTask(with: request)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.continuation = continuation }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    // MARK: - What the session reports

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        guard let scheme = request.url?.scheme?.lowercased(), scheme == url.scheme?.lowercased() else {
            let other = (request.url?.scheme ?? "").quoted
            note(VidclassError(.inputOutput, "\(url): the server redirects to another scheme (\(other)); this is not followed"))
            // Do not cancel: the session ends the task itself and cannot handle both.
            return completionHandler(nil)
        }
        completionHandler(request)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        do {
            try begin(response)
            completionHandler(.allow)
        } catch {
            breakOff(dataTask, error)
            completionHandler(.cancel)
        }
    }

    /// Checks the response's status and decides where its bytes go.
    private func begin(_ response: URLResponse) throws {
        guard let response = response as? HTTPURLResponse else { throw VidclassError(.inputOutput, "\(url): the response is not HTTP") }
        let offset = state.withLock { $0.offset }
        var start = 0
        switch response.statusCode {
        case 200: try part.truncate()
        case 206:
            let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
            guard range.hasPrefix("bytes \(offset)-") else {
                throw VidclassError(.inputOutput, "\(url): asked for the bytes from \(offset), but the server sends \(range.quoted)")
            }
            start = offset
        case 416 where offset > 0: throw Failure.notResumable
        case let status:
            let word = HTTPURLResponse.localizedString(forStatusCode: status)
            throw VidclassError(.inputOutput, "\(url): the server answers \(status) (\(word))")
        }
        let length = response.expectedContentLength
        let total = length >= 0 ? start + Int(length) : nil
        if let total, total > maximumBytes { throw tooLarge(total) }
        state.withLock {
            $0.offset = start
            $0.total = total
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        do {
            // A session makes its calls one after another.
            var now = state.withLock { $0 }
            guard now.failure == nil else { return }
            guard now.offset + data.count <= maximumBytes else { throw tooLarge(now.offset + data.count) }
            for region in data.regions {
                try region.withUnsafeBytes { try part.write($0, at: now.offset) }
                now.offset += region.count
            }
            let isDue = ContinuousClock.now - now.lastReport > .milliseconds(100) || now.offset == now.total
            if isDue {
                progress(now.offset, now.total)
                now.lastReport = .now
            }
            state.withLock {
                $0.offset = now.offset
                $0.lastReport = now.lastReport
            }
        } catch {
            breakOff(dataTask, error)
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, result): (CheckedContinuation<Void, any Error>?, Result<Void, any Error>) = state.withLock { state in
            defer { state.continuation = nil }
            if let failure = state.failure { return (state.continuation, .failure(failure)) }
            let kept = "; \(state.offset) bytes are kept; run the command again to resume"
            if let error {
                let reason = (error as? URLError)?.localizedDescription ?? "\(error)"
                return (state.continuation, .failure(VidclassError(.inputOutput, "\(url): \(reason)\(state.offset > 0 ? kept : "")")))
            }
            if let total = state.total, state.offset < total {
                return (
                    state.continuation,
                    .failure(VidclassError(.inputOutput, "\(url): the connection was cut after \(state.offset) of \(total) bytes\(kept)"))
                )
            }
            return (state.continuation, .success(()))
        }
        continuation?.resume(with: result)
    }

    private func breakOff(_ task: URLSessionTask, _ error: any Error) {
        note(error)
        task.cancel()
    }

    /// Keeps the first reason of several.
    private func note(_ error: any Error) {
        state.withLock { if $0.failure == nil { $0.failure = error } }
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
