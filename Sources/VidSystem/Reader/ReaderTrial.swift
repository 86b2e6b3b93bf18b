internal import CLinux

/// What a hostile file may make a reader do, on request, so that tests can see how it ends. Nobody but the parent can ask for it.
package enum ReaderTrial: String, CaseIterable, Sendable {
    // What a sandbox kills.
    case open, status, socket, exec, fork, kill, trace, code
    // What it allows.
    case thread, crash, hang, memory, flood, echo, fail, leave

    /// The kind of the messages of `flood` and `echo`.
    package static let answer = ReaderMessage.firstFree

    /// Does what the payload's first line says.
    static func run(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        let words = String(decoding: request.payload, as: UTF8.self).split(separator: " ", maxSplits: 1).map(String.init)
        guard let trial = words.first.flatMap(ReaderTrial.init) else { throw VidclassError(.usage, "unknown trial") }
        switch trial {
        case .open: close(Glibc.open("/etc/passwd", O_RDONLY))
        case .status:
            var status = stat()
            stat("/etc/passwd", &status)
        case .socket: close(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        case .exec, .fork, .trace, .code: vc_try(trial.rawValue)
        case .kill: Glibc.kill(getppid(), 0)
        case .thread:
            guard vc_try(trial.rawValue) == 0 else { throw VidclassError(.other, "no thread can be started") }
        case .crash: raise(SIGSEGV)
        case .hang: while true { sched_yield() }
        case .memory:
            guard vc_try(trial.rawValue) == 0 else { throw VidclassError(.badData, "memory ran out") }
        case .flood:
            let piece = [UInt8](repeating: 7, count: 1 << 16)
            for _ in 0..<(words.last.flatMap { Int($0) } ?? 1) { try parent.send(answer, bytes: piece) }
        case .echo:
            var bytes = Array(request.payload.dropFirst(trial.rawValue.utf8.count + 1))
            if let descriptor = request.descriptor {
                bytes = [UInt8](repeating: 0, count: 1 << 16)
                bytes.removeLast(bytes.count - max(0, pread(descriptor, &bytes, bytes.count, 0)))
            }
            try parent.send(answer, bytes: bytes)
        case .fail: throw VidclassError(.inputOutput, words.last ?? "", advice: ["Try another."])
        case .leave: exit(3)
        }
    }
}
