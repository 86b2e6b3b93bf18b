import Foundation

/// Files of the project as the tests see them.
enum ProjectFiles {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Set by a person who changed the tables: generated files are written instead of compared.
    static let isUpdating = ProcessInfo.processInfo.environment["VIDCLASS_UPDATE"] == "1"

    static let howToUpdate: String = "out of date; run: VIDCLASS_UPDATE=1 swift test --filter VidConfigTests"

    static func url(_ path: String) -> URL { root.appending(path: path) }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: url(path), encoding: .utf8)
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: url(path), options: .atomic)
    }

    /// Every config file of the project, the schema aside.
    static func configs() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url("Configs").path)
            .filter { $0.hasSuffix(".json") && $0 != "schema.json" }.sorted().map { "Configs/\($0)" }
    }
}
