internal import CLinux

/// The work of a reader: it gives up its rights and then answers requests until its parent closes the connection.
package enum ReaderService {
    /// Answers a request by messages; the service ends the answer. What it throws is the answer's end instead.
    package typealias Handler = @Sendable (_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws -> Void

    /// Whether this process was started as a reader: by the word ``Readers/command`` and with a socket as its standard input.
    package static var isRequested: Bool {
        var status = stat()
        return CommandLine.arguments.dropFirst().elementsEqual([Readers.command]) && fstat(STDIN_FILENO, &status) == 0
            && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Serves requests by the handlers of their kinds. The calling thread should be the process's only one.
    ///
    /// - Parameter prepare: what libraries need to open or to find out before the sandbox closes.
    /// - Throws: `.other` if the system has no sandbox, `.inputOutput` if the connection breaks.
    package static func serve(_ handlers: [UInt32: Handler], prepare: () throws -> Void = {}) throws {
        try prepare()
        try enterSandbox()
        try answer(handlers.merging([ReaderMessage.trial: ReaderTrial.run]) { own, _ in own }, ReaderConnection())
    }

    /// The loop without the sandbox, until the parent closes the connection.
    package static func answer(_ handlers: [UInt32: Handler], _ parent: ReaderConnection) throws {
        while let request = try parent.next() {
            defer { if let descriptor = request.descriptor { close(descriptor) } }
            do {
                guard let handler = handlers[request.kind] else {
                    throw VidclassError(.other, "a reader has no answer to requests of kind \(request.kind)")
                }
                try handler(request, parent)
            } catch {
                let error = error as? VidclassError ?? VidclassError(.other, "\(error)")
                try parent.send(ReaderMessage.failed, bytes: ReaderFailure.bytes(error))
                continue
            }
            try parent.send(ReaderMessage.done)
        }
    }

    /// Takes from this process everything that parsing does not need; see `vc_enter_sandbox`.
    private static func enterSandbox() throws {
        var step: UnsafePointer<CChar>?
        let code = vc_enter_sandbox(&step)
        guard code == 0 else {
            throw VidclassError(
                .other,
                "cannot protect this system from hostile files: \(step.map { String(cString: $0) } ?? "the sandbox"): "
                    + "\(SystemCall.reason(code)). Use a Linux kernel, or a container, that allows seccomp filters.")
        }
    }
}
