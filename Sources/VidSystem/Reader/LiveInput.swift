/// A pipe that somebody else is writing to, however slowly.
///
/// It is waited for on a thread of its own, so that no thread of Swift's pool blocks. One task at a time may read.
package final class LiveInput: Sendable {
    private let input: PipedInput
    private let isStopped: @Sendable () -> Bool
    private let thread = WaitingThread()

    /// How often `isStopped` is asked, in milliseconds.
    private static let period: Int32 = 100

    /// - Parameter isStopped: whether nothing more is to be read; is asked several times a second, from any thread.
    package init(_ input: PipedInput, isStopped: @escaping @Sendable () -> Bool) { (self.input, self.isStopped) = (input, isStopped) }

    /// Waits for the next bytes and returns what is there of them, at most `most`; none at the end, or once the input is stopped.
    ///
    /// - Throws: `.inputOutput`.
    package func next(_ most: Int) async throws -> [UInt8] {
        let found: Result<[UInt8], any Error> = await withUnsafeContinuation { continuation in
            thread.run { [self] in continuation.resume(returning: Result { try read(most) }) }
        }
        return try found.get()
    }

    private func read(_ most: Int) throws -> [UInt8] {
        while !isStopped() {
            var waiting = pollfd(fd: input.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, LiveInput.period) != 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: most)
            let count = SystemCall.retrying { Glibc.read(input.descriptor, &bytes, most) }
            if count < 0, errno == EAGAIN { continue }
            guard count >= 0 else {
                throw VidclassError.file(input.name, "cannot be read: \(SystemCall.reason())", kind: .inputOutput)
            }
            bytes.removeLast(most - count)
            return bytes
        }
        return []
    }
}
