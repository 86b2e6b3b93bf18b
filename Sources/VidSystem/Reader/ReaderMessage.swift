/// The head of a message between this program and a reader, in both directions: 16 bytes, little-endian, before the payload.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | kind |
/// | 4 | u32 | 0 |
/// | 8 | u64 | bytes of the payload |
///
/// A reader answers a request with any number of messages and then ``done`` or ``failed``. Kinds below ``firstFree`` belong to the
/// transport; the others belong to the handlers.
package struct ReaderMessage: Equatable, Sendable {
    /// Ends the answer to a request; without payload.
    package static let done: UInt32 = 0
    /// Ends the answer to a request that failed; its payload is a ``ReaderFailure``.
    package static let failed: UInt32 = 1
    /// A request that tries what a sandbox forbids; see ``ReaderTrial``.
    package static let trial: UInt32 = 2
    /// The first kind that a handler may use for its requests and answers.
    package static let firstFree: UInt32 = 16

    /// Bytes of a head.
    package static let size = 16
    /// The most bytes of a request's payload.
    package static let requestLimit = 1 << 20

    package let kind: UInt32
    package let length: UInt64

    package init(kind: UInt32, length: Int) {
        self.kind = kind
        self.length = UInt64(length)
    }

    /// Reads a head of ``size`` bytes; nil if its zeros are something else, or if no payload can be so long.
    package init?(_ bytes: [UInt8]) {
        precondition(bytes.count == ReaderMessage.size, "\(bytes.count) bytes")
        let zero: UInt32 = LittleEndian.value(bytes, 4)
        kind = LittleEndian.value(bytes, 0)
        length = LittleEndian.value(bytes, 8)
        guard zero == 0, length <= UInt64(Size.most) else { return nil }
    }

    package var bytes: [UInt8] { LittleEndian.bytes(kind) + LittleEndian.bytes(0 as UInt32) + LittleEndian.bytes(length) }
}

/// How a request failed, as the payload of ``ReaderMessage/failed``: the kind of the error (u32), then its message and its lines of
/// advice as UTF-8, separated by line feeds.
package enum ReaderFailure {
    /// The most bytes of a payload.
    package static let limit = 16 << 10

    package static func bytes(_ error: VidclassError) -> [UInt8] {
        let lines = [error.message] + error.advice
        let text = lines.map(\.printable).joined(separator: "\n")
        return Array((LittleEndian.bytes(error.kind.rawValue) + Array(text.utf8)).prefix(limit))
    }

    /// The error about the file at `path`. The sender is not trusted: the message is made printable and begins with the path, and an
    /// unknown kind becomes `.badData`. Returns nil if the payload is too short or too long.
    package static func error(_ bytes: [UInt8], about path: String) -> VidclassError? {
        guard (4...limit).contains(bytes.count) else { return nil }
        let kind = VidclassError.Kind(rawValue: LittleEndian.value(bytes, 0)) ?? .badData
        let lines = String(decoding: bytes.dropFirst(4), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0).printable }
        let prefix = path.printable + ": "
        let message = lines.first ?? ""
        return VidclassError(kind, message.hasPrefix(prefix) ? message : prefix + message, advice: Array(lines.dropFirst()))
    }
}
