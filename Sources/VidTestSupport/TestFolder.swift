import FoundationEssentials
import VidSystem

/// A test's private folder, removed with the last reference to it.
package final class TestFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("vidclass-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in the folder.
    package func callAsFunction(_ name: String) -> String { PathText.join(path, name) }

    /// Writes `bytes` to `name`, making its folders, and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let target = self(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(target), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: target))
        return target
    }

    @discardableResult
    package func write(_ name: String, text: String) throws -> String { try write(name, Array(text.utf8)) }

    package func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self(name)) }

    package func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name)))) }

    package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self(name)) }

    /// Names in the folder, hidden ones too, sorted.
    package func names(_ name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: name.isEmpty ? path : self(name)).sorted()
    }
}
