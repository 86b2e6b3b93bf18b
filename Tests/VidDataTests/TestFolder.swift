import Foundation
import Testing
import VidData
import VidTensor

/// A folder of a test's own, removed with it.
final class TestFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("vidclass-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { PathText.join(path, name) }

    /// Writes `bytes` to `name`, making its folders.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let target = self(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(target), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: target))
        return target
    }

    @discardableResult
    func write(_ name: String, text: String) throws -> String { try write(name, Array(text.utf8)) }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name)))) }

    /// Names in the folder, hidden ones too.
    func names(_ name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: name.isEmpty ? path : self(name)).sorted()
    }

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
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as VidclassError {
        #expect(!error.message.contains("\n"), sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    }
    return VidclassError(.other, "no VidclassError was thrown")
}

/// The same for a body that waits.
func failure<Result>(_ body: () async throws -> Result, sourceLocation: SourceLocation = #_sourceLocation) async -> VidclassError {
    do {
        _ = try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as VidclassError {
        #expect(!error.message.contains("\n"), sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    }
    return VidclassError(.other, "no VidclassError was thrown")
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
