internal import CLinux

/// A reader's end of the connection to the program that started it. Its calls block; one thread at a time may receive, and one may send.
package final class ReaderConnection: Sendable {
    /// A request of the parent.
    package struct Request: Sendable {
        package let kind: UInt32
        package let payload: [UInt8]
        /// The open file that came with it. `ReaderService` closes it when the request's handler returns.
        package let descriptor: Int32?
    }

    private let socket: Int32

    /// - Parameter socket: stays open.
    package init(_ socket: Int32 = STDIN_FILENO) { self.socket = socket }

    /// The next request; nil if the parent has closed its end.
    ///
    /// - Throws: `.inputOutput` for a failed call or for bytes that are no request.
    package func next() throws -> Request? {
        var head = [UInt8](repeating: 0, count: ReaderMessage.size)
        var descriptor: Int32 = -1
        let first = head.withUnsafeMutableBytes { bytes in
            SystemCall.retrying { vc_receive(socket, bytes.baseAddress, UInt64(bytes.count), &descriptor, 1) }
        }
        guard first >= 0 else { throw ReaderConnection.error("receive") }
        guard first > 0 else { return nil }
        do {
            try head.withUnsafeMutableBytes { try fill(UnsafeMutableRawBufferPointer(rebasing: $0[Int(first)...])) }
            guard let message = ReaderMessage(head), message.length <= UInt64(ReaderMessage.requestLimit) else {
                throw VidclassError(.inputOutput, "the connection to the reader carries bytes that are no request")
            }
            var payload = [UInt8](repeating: 0, count: Int(message.length))
            try payload.withUnsafeMutableBytes(fill)
            return Request(kind: message.kind, payload: payload, descriptor: descriptor >= 0 ? descriptor : nil)
        } catch {
            if descriptor >= 0 { close(descriptor) }
            throw error
        }
    }

    /// Sends a message. The pieces of its payload are sent one after another without being copied first.
    ///
    /// - Throws: `.inputOutput` if the parent has closed its end.
    package func send(_ kind: UInt32, _ payload: UnsafeRawBufferPointer...) throws { try send(kind, payload) }

    package func send(_ kind: UInt32, _ payload: [UnsafeRawBufferPointer]) throws {
        let head = ReaderMessage(kind: kind, length: payload.reduce(0) { $0 + $1.count }).bytes
        try head.withUnsafeBytes { head in
            let pieces = ([head] + payload).filter { !$0.isEmpty }.map { vc_piece(bytes: $0.baseAddress, count: UInt64($0.count)) }
            // The system takes 1024 pieces at a time.
            for start in stride(from: 0, to: pieces.count, by: 1024) { try send(Array(pieces[start..<min(start + 1024, pieces.count)])) }
        }
    }

    /// Sends bytes as a payload.
    package func send(_ kind: UInt32, bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try send(kind, $0) } }

    private func send(_ pieces: [vc_piece]) throws {
        var pieces = pieces
        var first = 0
        while first < pieces.count {
            var sent = SystemCall.retrying {
                pieces.withUnsafeBufferPointer { vc_send(socket, $0.baseAddress.map { $0 + first }, Int32($0.count - first), -1, 1) }
            }
            guard sent >= 0 else { throw ReaderConnection.error("send") }
            while first < pieces.count, sent >= pieces[first].count {
                sent -= Int64(pieces[first].count)
                first += 1
            }
            guard sent > 0 else { continue }
            pieces[first].bytes += Int(sent)
            pieces[first].count -= UInt64(sent)
        }
    }

    private func fill(_ bytes: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = SystemCall.retrying {
                vc_receive(socket, bytes.baseAddress.map { $0 + done }, UInt64(bytes.count - done), nil, 1)
            }
            guard count >= 0 else { throw ReaderConnection.error("receive") }
            guard count > 0 else { throw VidclassError(.inputOutput, "the connection to the reader ended within a request") }
            done += Int(count)
        }
    }

    private static func error(_ action: String) -> VidclassError {
        VidclassError(.inputOutput, "a reader cannot \(action) a message: \(SystemCall.reason())")
    }
}
