import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

extension TestFolder {
    /// A program that runs `script`.
    func program(_ name: String, _ script: String) throws -> String {
        let target = try write(name, text: "#!/bin/sh\n" + script + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target)
        return target
    }
}

/// The error that `body` throws, which must be one of vidclass's own and one line long.
func failure<Result>(_ body: () throws -> Result, sourceLocation: SourceLocation = #_sourceLocation) -> VidclassError {
    do {
        _ = try body()
        return checked(nil, sourceLocation)
    } catch {
        return checked(error, sourceLocation)
    }
}

/// The same for a body that waits.
func failure<Result>(_ body: () async throws -> Result, sourceLocation: SourceLocation = #_sourceLocation) async -> VidclassError {
    do {
        _ = try await body()
        return checked(nil, sourceLocation)
    } catch {
        return checked(error, sourceLocation)
    }
}

private func checked(_ error: (any Error)?, _ sourceLocation: SourceLocation) -> VidclassError {
    guard let own = error as? VidclassError else {
        Issue.record("expected a VidclassError, found \(error.map { "\($0)" } ?? "no error")", sourceLocation: sourceLocation)
        return VidclassError(.other, "no VidclassError was thrown")
    }
    #expect(!own.message.contains("\n"), sourceLocation: sourceLocation)
    return own
}

/// A clip of bytes that differ from one another: a function of their places alone.
func patternClip(_ shape: ClipShape, framesPerSecond: Float = 0) -> Clip {
    Clip(
        shape: shape, pixels: .bytes((0..<shape.count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 6) }),
        framesPerSecond: framesPerSecond)
}

/// The same with floats.
func patternFloatClip(_ shape: ClipShape) -> Clip {
    Clip(shape: shape, pixels: .floats((0..<shape.count).map { Float($0) * 0.25 - 7 }))
}
