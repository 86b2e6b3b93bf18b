import Foundation
import VidSystem

/// The installed program ffmpeg, which makes the videos of tests.
package enum FFmpegProgram {
    /// Tests that need it are skipped without it; `Scripts/test.sh` installs it.
    package static let isInstalled = path != nil
    private static let path = ChildProcess.installed("ffmpeg")

    /// Runs it, requires that it succeeds, and returns its standard output. Its inputs must end by themselves.
    @discardableResult
    package static func run(_ arguments: [String]) throws -> [UInt8] {
        guard let path else { throw VidclassError(.missingInput, "ffmpeg is not installed") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-nostdin", "-y", "-v", "error"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw VidclassError(.other, "ffmpeg \(arguments) failed") }
        return bytes
    }
}
