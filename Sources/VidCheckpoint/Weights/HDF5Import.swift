import Foundation
import VidSystem
import VidTensor

/// Where the HDF5 library, which its makers say is not made for hostile files, is let near a file.
///
/// In a child it has bounds of memory, processor and clock time, and may write no file and start no process. What crosses
/// over is a safetensors file of the expected float tensors on its standard output, read as strictly as a stranger's.
package enum HDF5Import: Sendable {
    /// In this process: for the child itself, and for tests of the reader.
    case inThisProcess
    /// In a child: the program `executable`, which is told ``childCommand``, its time and the file.
    case inChild(executable: String, seconds: Int = HDF5Import.seconds)

    /// The command that does the child's work.
    package static let childCommand = "read-hdf5"

    /// The most bytes that are taken from a child: VGG19's convolutions have 80 MB.
    private static let outputLimit = 512 << 20
    private static let memoryLimit = 4 << 30
    /// Of the clock and of the processor; reading VGG19 takes less than one.
    package static let seconds = 60

    /// The VGG's weights in the HDF5 file at `path`.
    ///
    /// Throws `.badData` for a file that is damaged, hostile, or no VGG of Keras's.
    func read(_ path: String) throws -> ImportedWeights {
        switch self {
        case .inThisProcess: try KerasWeights.read(path)
        case .inChild(let executable, let seconds): try HDF5Import.read(path, by: executable, seconds: seconds)
        }
    }

    /// The child's work: bounds itself, reads `path`, and writes its weights to the file descriptor `output`.
    package static func serve(_ path: String, seconds: Int, output: Int32) throws {
        ProcessLimits.applyToThisProcess(memory: memoryLimit, seconds: seconds)
        let weights = try KerasWeights.read(path)
        try WeightsFile.sealed(weights).write { bytes in
            let code = SystemCall.write(bytes, toStream: output)
            guard code == 0 else {
                throw VidclassError.file(path, "its weights could not be handed over: \(SystemCall.reason(code))", kind: .inputOutput)
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

    /// What the child said, or how it ended.
    private static func failure(_ path: String, _ child: Process, _ complaint: String, isTooLarge: Bool) -> VidclassError {
        if isTooLarge { return .file(path, "more than \(outputLimit >> 20) MiB of weights came out of it; the file is hostile") }
        guard child.terminationReason == .exit else {
            let reason = [SIGALRM, SIGXCPU, SIGKILL].contains(child.terminationStatus) ? "did not come to an end" : "broke off"
            return .file(path, "the HDF5 library \(reason) on it (signal \(child.terminationStatus)); the file is damaged or hostile")
        }
        // One line of ours, after "vidclass: error: ".
        let line = complaint.split(separator: "\n").last.map(String.init) ?? ""
        let prefix = "vidclass: error: "
        let kind = VidclassError.Kind(rawValue: child.terminationStatus) ?? .badData
        return line.hasPrefix(prefix)
            ? VidclassError(kind, String(line.dropFirst(prefix.count)))
            : .file(path, "the HDF5 library cannot read it (exit \(child.terminationStatus)); the file is damaged or hostile")
    }
}
