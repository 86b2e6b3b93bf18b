/// The end of a reader that did not survive a file.
struct ReaderEnd {
    let failure: ReaderSession.Failure
    /// nil if it is unknown.
    let outcome: ChildProcess.Outcome?
    /// Bytes of address space that the reader had.
    let memoryLimit: Int

    /// What the C and Swift libraries write when memory runs out.
    private static let memoryWords = ["allocate memory", "bad_alloc", "ut of memory"]

    /// The error about the file. `library` is what read it.
    func error(about path: String, library: String) -> VidclassError {
        switch failure {
        case .timedOut(let limit):
            return .file(path, "\(library) did not finish within \(ReaderEnd.seconds(limit)); the file is damaged or hostile")
        case .outputExceeded(let limit):
            return .file(path, "\(library) got more than \(limit >> 20) MiB out of it; the file is hostile")
        case .malformed, .cancelled:
            return .file(path, "the process that read it returned something other than what it was asked for; the file is hostile")
        case .ended: break
        }
        guard let outcome else { return .file(path, "\(library) ended without an answer; the file is damaged or hostile") }
        if ReaderEnd.memoryWords.contains(where: outcome.errorText.contains) {
            return .file(
                path,
                "\(library) needed more memory for it than a reader may have (\(memoryLimit >> 30) GiB); the file is damaged or hostile")
        }
        switch outcome.signal {
        case SIGSYS?:
            return .file(
                path,
                "reading it needed something that a reader may not do (opening another file, a network connection); the file is hostile")
        case SIGXCPU?: return .file(path, "\(library) did not finish within its processor time; the file is damaged or hostile")
        case SIGKILL?: return .file(path, "the system killed the process that read it (signal 9), as it does when memory runs out")
        case let signal?: return .file(path, "\(library) crashed on it (signal \(signal)); the file is damaged or hostile")
        case nil: break
        }
        // A reader that cannot begin says why.
        let prefix = "vidclass: error: "
        if let line = outcome.errorText.split(separator: "\n").last(where: { $0.hasPrefix(prefix) }) {
            return VidclassError(
                VidclassError.Kind(rawValue: outcome.status) ?? .badData, String(line.dropFirst(prefix.count)).printable)
        }
        return .file(path, "\(library) ended without an answer (exit \(outcome.status)); the file is damaged or hostile")
    }

    private static func seconds(_ limit: Duration) -> String {
        let (seconds, rest) = limit.components
        return rest == 0 ? seconds == 1 ? "1 second" : "\(seconds) seconds" : "\(limit / .seconds(1)) seconds"
    }
}
