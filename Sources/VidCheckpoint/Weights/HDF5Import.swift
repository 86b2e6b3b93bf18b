import Foundation
import VidSystem
import VidTensor

/// Where the HDF5 library, which its makers say is not safe for hostile files, may read a file.
///
/// A child process has bounds on memory, processor time and clock time, and may write no file and start no process. It returns
/// the expected float tensors as a safetensors file on its standard output, which is checked as strictly as any other file.
package enum HDF5Import: Sendable {
    /// In this process; for the child itself and for tests of the reader.
    case inThisProcess
    /// In a child: the program `executable` with the arguments ``childCommand``, a time limit and the file.
    case inChild(executable: String, seconds: Int = HDF5Import.seconds)

    /// The subcommand that does the child's work.
    package static let childCommand = "read-hdf5"

    /// The most bytes that a child may return; VGG19's convolutions have 80 MB.
    private static let outputLimit = 512 << 20
    private static let memoryLimit = 4 << 30
    /// The child's limit of clock and processor time; reading VGG19 takes less than one second.
    package static let seconds = 60

    /// The VGG weights in the HDF5 file at `path`.
    ///
    /// Throws `.badData` if the file is damaged, hostile, or not a Keras VGG.
    func read(_ path: String) throws -> ImportedWeights {
        switch self {
        case .inThisProcess: try KerasWeights.read(path)
        case .inChild(let executable, let seconds): try HDF5Import.read(path, by: executable, seconds: seconds)
        }
    }

    /// Does the child's work: limits itself, reads `path`, and writes its weights to the file descriptor `output`.
    package static func serve(_ path: String, seconds: Int, output: Int32) throws {
        ProcessLimits.applyToThisProcess(memory: memoryLimit, seconds: seconds)
        let weights = try KerasWeights.read(path)
        try WeightsFile.sealed(weights).write { bytes in
            let code = SystemCall.write(bytes, toStream: output)
            guard code == 0 else {
                throw VidclassError.file(
                    path, "its weights could not be sent to the parent process: \(SystemCall.reason(code))", kind: .inputOutput)
            }
        }
    }

    private static func read(_ path: String, by executable: String, seconds: Int) throws -> ImportedWeights {
        let sha256 = try RegularFile(path).sha256()
        let held = try MemoryFile(name: "vidclass-hdf5")
        let child = Process()
        let (output, complaint) = (Pipe(), Pipe())
        child.executableURL = URL(fileURLWithPath: executable)
        child.arguments = [childCommand, "--seconds", "\(seconds)", "--", path]
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = output
        child.standardError = complaint
        do { try child.run() } catch {
            throw VidclassError.file(executable, "cannot be started to read \(path.printable): \(error.localizedDescription)", kind: .other)
        }
        var isTooLarge = false
        var size = 0
        do {
            while let piece = try output.fileHandleForReading.read(upToCount: 1 << 20), !piece.isEmpty {
                size += piece.count
                guard size <= outputLimit else {
                    isTooLarge = true
                    break
                }
                try piece.withUnsafeBytes { try held.append($0) }
            }
        } catch {
            child.terminate()
            throw error
        }
        if isTooLarge { kill(child.processIdentifier, SIGKILL) }
        let text = (try? complaint.fileHandleForReading.read(upToCount: 1 << 14)) ?? Data()
        child.waitUntilExit()
        guard !isTooLarge, child.terminationReason == .exit, child.terminationStatus == 0 else {
            throw failure(path, child, String(decoding: text, as: UTF8.self), isTooLarge: isTooLarge)
        }
        do {
            return try WeightsFile.readHandedOver(held.path, source: path, sha256: sha256)
        } catch let error as VidclassError {
            throw VidclassError(error.kind, error.message.replacing(held.path, with: path.printable))
        }
    }

    /// The child's error message, or how it ended.
    private static func failure(_ path: String, _ child: Process, _ complaint: String, isTooLarge: Bool) -> VidclassError {
        if isTooLarge { return .file(path, "it contains more than \(outputLimit >> 20) MiB of weights; the file is hostile") }
        guard child.terminationReason == .exit else {
            let reason = [SIGALRM, SIGXCPU, SIGKILL].contains(child.terminationStatus) ? "did not finish" : "crashed"
            return .file(path, "the HDF5 library \(reason) on it (signal \(child.terminationStatus)); the file is damaged or hostile")
        }
        // The child reports its own errors as one line after "vidclass: error: ".
        let line = complaint.split(separator: "\n").last.map(String.init) ?? ""
        let prefix = "vidclass: error: "
        let kind = VidclassError.Kind(rawValue: child.terminationStatus) ?? .badData
        return line.hasPrefix(prefix)
            ? VidclassError(kind, String(line.dropFirst(prefix.count)))
            : .file(path, "the HDF5 library cannot read it (exit \(child.terminationStatus)); the file is damaged or hostile")
    }
}
