import FoundationEssentials
import VidSystem

/// The installed program ffmpeg, which writes animations. Reading videos and sounds does not need it.
package struct FFmpeg: Sendable, Equatable {
    package let path: String
    /// The version that ffmpeg prints, such as `5.1.9-0+deb12u1`.
    package let version: String

    package init(path: String, version: String) {
        self.path = path
        self.version = version
    }

    /// Finds ffmpeg by the variable `VIDCLASS_FFMPEG` (the program or its folder), else on the `PATH`.
    ///
    /// Throws `.missingInput` (exit 66) with instructions if it is missing.
    package static func locate(environment: [String: String] = ProcessInfo.processInfo.environment) async throws -> FFmpeg {
        let path: String
        if let named = environment["VIDCLASS_FFMPEG"], !named.isEmpty {
            let isFolder = (try? SystemCall.status(named))?.kind == .folder
            path = isFolder ? PathText.join(named, "ffmpeg") : named
            guard ChildProcess.isProgram(path) else {
                throw VidclassError(
                    .missingInput, "VIDCLASS_FFMPEG is \(named.printable), but there is no program \(path.printable); fix or unset it")
            }
        } else if let found = ChildProcess.program("ffmpeg", in: ChildProcess.folders(environment["PATH"])) {
            path = found
        } else {
            throw VidclassError(.missingInput, "ffmpeg is not installed; \(advice)")
        }
        let child = ChildProcess(executable: path, arguments: ["-version"], timeLimit: .seconds(30), outputLimit: 1 << 20)
        let (outcome, text) = try await child.text()
        guard outcome.status == 0, text.hasPrefix("ffmpeg version ") else {
            throw VidclassError(
                .missingInput, "\(path.printable) does not work: running it with -version failed (status \(outcome.status)); \(advice)")
        }
        let version = text.dropFirst("ffmpeg version ".count).prefix { $0 != " " && $0 != "\n" }
        return FFmpeg(path: path, version: String(version))
    }

    private static let advice = "install it (Debian, Ubuntu: apt-get install ffmpeg) or set VIDCLASS_FFMPEG to it"

    /// The file as an ffmpeg URL, so that a leading dash, a colon or a percent sign has no special meaning.
    static func address(_ path: String) -> String { "file:" + path }

    /// The reason in `errorText` on one line, without ffmpeg's memory addresses and the file's name.
    static func reason(_ errorText: String, path: String) -> String {
        let lines = errorText.split(whereSeparator: \.isNewline).map { line -> String in
            var text = String(line)
            // "[h264 @ 0x55d0c0ffee] missing picture" and "file:/a/b.mp4: Invalid data found when processing input"
            if text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = String(text[text.index(after: end)...]) }
            if text.hasPrefix(address(path) + ": ") { text = String(text.dropFirst(address(path).count + 2)) }
            return String(text.drop { $0 == " " }).printable
        }.filter { !$0.isEmpty }
        guard let last = lines.last else { return "it gave no reason" }
        let isGeneral = last.hasPrefix("Invalid data found") || last.hasPrefix("Invalid argument") || last.hasPrefix("Conversion failed")
        guard isGeneral, lines.count > 1 else { return String(last.prefix(300)) }
        return String("\(last) (\(lines[lines.count - 2]))".prefix(300))
    }
}
