import VidSystem

/// Where the HDF5 library, which its makers say is not safe for hostile files, may read a file.
///
/// A child process has limits on memory, processor time and wall time, and may write no file. It returns the expected float
/// tensors as a safetensors file on its standard output, which is checked as strictly as any other file.
package enum HDF5Import: Sendable {
    /// In this process; for the child itself and for tests of the reader.
    case inThisProcess
    /// In a child: the program `executable` with the arguments ``childCommand``, a time limit and the file.
    case inChild(executable: String, seconds: Int = HDF5Import.seconds)

    /// The subcommand that does the child's work.
    package static let childCommand = "read-hdf5"

    /// The most bytes that a child may return; VGG19's convolutions have 80 MB.
    private static let outputLimit = 512 << 20
    /// The child's memory in bytes, in addition to what it has when it starts reading.
    private static let memoryLimit = 4 << 30
    /// The child's limit of wall time and processor time; reading VGG19 takes less than one second.
    package static let seconds = 60

    /// The VGG weights in the HDF5 file at `path`.
    ///
    /// Throws `.badData` if the file is damaged, hostile, or not a Keras VGG.
    func read(_ path: String) async throws -> ImportedWeights {
        switch self {
        case .inThisProcess: try KerasWeights.read(path)
        case .inChild(let executable, let seconds): try await HDF5Import.read(path, by: executable, seconds: seconds)
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

    private static func read(_ path: String, by executable: String, seconds: Int) async throws -> ImportedWeights {
        let sha256 = try RegularFile(path).sha256()
        let received = try MemoryFile(name: "vidclass-hdf5")
        // The child sets tighter limits itself. These also hold if it has not come that far, or if it is another program.
        let child = ChildProcess(
            executable: executable, arguments: [childCommand, "--seconds", "\(seconds)", "--", path],
            timeLimit: .seconds(seconds + 5), outputLimit: outputLimit, memoryLimit: memoryLimit + 2 << 30)
        let outcome = try await child.run(received.append)
        guard !outcome.outputExceeded, outcome.status == 0 else { throw failure(path, outcome) }
        do {
            return try WeightsFile.readHandedOver(received.path, source: path, sha256: sha256)
        } catch let error as VidclassError {
            throw VidclassError(error.kind, error.message.replacing(received.path, with: path.printable))
        }
    }

    /// The child's error message, or how it ended.
    private static func failure(_ path: String, _ outcome: ChildProcess.Outcome) -> VidclassError {
        if outcome.outputExceeded {
            return .file(path, "it contains more than \(outputLimit >> 20) MiB of weights; the file is hostile")
        }
        if let signal = outcome.signal {
            let reason = [SIGALRM, SIGXCPU, SIGKILL].contains(signal) ? "did not finish" : "crashed"
            return .file(path, "the HDF5 library \(reason) on it (signal \(signal)); the file is damaged or hostile")
        }
        // The child reports its own errors as one line after "vidclass: error: ".
        let line = outcome.errorText.split(separator: "\n").last ?? ""
        let prefix = "vidclass: error: "
        return line.hasPrefix(prefix)
            ? VidclassError(VidclassError.Kind(rawValue: outcome.status) ?? .badData, String(line.dropFirst(prefix.count)))
            : .file(path, "the HDF5 library cannot read it (exit \(outcome.status)); the file is damaged or hostile")
    }
}
