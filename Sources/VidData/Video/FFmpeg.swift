import FoundationEssentials
import VidSystem
import VidTensor

/// An installed ffmpeg and its ffprobe.
package struct FFmpeg: Sendable, Equatable {
    package let ffmpegPath: String
    package let ffprobePath: String
    /// The version that ffmpeg prints, such as `5.1.9-0+deb12u1`.
    package let version: String
    /// Replaces the time limits that depend on a file's size, for tests and for very slow machines.
    package var timeLimit: Duration?

    package init(ffmpegPath: String, ffprobePath: String, version: String, timeLimit: Duration? = nil) {
        self.ffmpegPath = ffmpegPath
        self.ffprobePath = ffprobePath
        self.version = version
        self.timeLimit = timeLimit
    }

    /// Finds ffmpeg by the variable `VIDCLASS_FFMPEG` (the program or its folder), else on the `PATH`, and ffprobe next to it, else
    /// on the `PATH`. `VIDCLASS_FFMPEG_SECONDS` sets the time limit of one run.
    ///
    /// Throws `.missingInput` (exit 66) with instructions if either is missing.
    package static func locate(environment: [String: String] = ProcessInfo.processInfo.environment) async throws -> FFmpeg {
        let folders = ChildProcess.folders(environment["PATH"])
        let ffmpeg: String
        if let named = environment["VIDCLASS_FFMPEG"], !named.isEmpty {
            let isFolder = (try? SystemCall.status(named))?.kind == .folder
            ffmpeg = isFolder ? PathText.join(named, "ffmpeg") : named
            guard ChildProcess.isProgram(ffmpeg) else {
                throw VidclassError(
                    .missingInput, "VIDCLASS_FFMPEG is \(named.printable), but there is no program \(ffmpeg.printable); fix or unset it")
            }
        } else if let found = ChildProcess.program("ffmpeg", in: folders) {
            ffmpeg = found
        } else {
            throw VidclassError(.missingInput, "ffmpeg is not installed, and video and sound files need it; \(advice)")
        }
        guard let ffprobe = ChildProcess.program("ffprobe", in: [PathText.parent(ffmpeg)] + folders) else {
            throw VidclassError(
                .missingInput, "ffprobe is not installed, but \(ffmpeg.printable) is; video and sound files need both; \(advice)")
        }
        let child = ChildProcess(executable: ffmpeg, arguments: ["-version"], timeLimit: .seconds(30), outputLimit: 1 << 20)
        let (outcome, text) = try await child.text()
        guard outcome.status == 0, text.hasPrefix("ffmpeg version ") else {
            throw VidclassError(
                .missingInput, "\(ffmpeg.printable) does not work: running it with -version failed (status \(outcome.status)); \(advice)")
        }
        let version = text.dropFirst("ffmpeg version ".count).prefix { $0 != " " && $0 != "\n" }
        var limit: Duration?
        if let text = environment["VIDCLASS_FFMPEG_SECONDS"] {
            guard let seconds = Int(text), seconds > 0 else {
                throw VidclassError(.usage, "VIDCLASS_FFMPEG_SECONDS: expected a whole number of seconds, found \"\(text.printable)\"")
            }
            limit = .seconds(seconds)
        }
        return FFmpeg(ffmpegPath: ffmpeg, ffprobePath: ffprobe, version: String(version), timeLimit: limit)
    }

    private static let advice =
        "install it (Debian, Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg) or set VIDCLASS_FFMPEG to it"

    /// The major version; nil for an unnumbered build (from git), which is assumed to be new.
    var major: Int? { Int(version.drop { $0 == "n" }.prefix { $0.isNumber }) }

    /// The minor version.
    private var minor: Int? {
        let parts = version.drop { $0 == "n" }.split(separator: ".", maxSplits: 2)
        return parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) : nil
    }

    /// Passes frames through as they are, without repeating or dropping any to keep a rate. The option was renamed in 5.1.
    var passthroughArguments: [String] {
        if let major, (major, minor ?? 0) < (5, 1) { return ["-vsync", "passthrough"] }
        return ["-fps_mode", "passthrough"]
    }

    /// The arguments that protect against hostile files: they allow only local files and the listed containers (no playlists,
    /// concatenation scripts, image patterns or URLs), one thread, and a limited number of pixels.
    private static func inputArguments(_ containers: [String]) -> [String] {
        [
            // guard: containers-of-videos, without: "-format_whitelist", containers.joined(separator: ","), ->
            "-protocol_whitelist", "file", "-format_whitelist", containers.joined(separator: ","), "-max_pixels", "\(maximumPixels)",
            "-threads", "1",
        ]
    }

    /// ffmpeg's names of the video containers that may be opened.
    static let videoContainers = ["mov", "avi", "matroska", "webm", "mpeg", "mpegts", "flv", "ogg", "asf", "gif"]

    /// 16384 x 8192.
    static let maximumPixels = 1 << 27

    /// Runs ffprobe on the file at `path`; `query` chooses the stream, the entries and their format.
    func ffprobe(
        _ path: String, _ containers: [String], _ query: [String], verbosity: String = "error", limit: Duration, outputLimit: Int = 1 << 20
    ) async throws -> (outcome: ChildProcess.Outcome, text: String) {
        try await ChildProcess(
            executable: ffprobePath,
            arguments: ["-v", verbosity] + FFmpeg.inputArguments(containers) + query + ["-i", FFmpeg.address(path)],
            timeLimit: limit, outputLimit: outputLimit
        ).text()
    }

    /// Runs ffprobe on the file at `path` and returns the values that it lists for a stream of the medium `medium` ("video", "sound").
    ///
    /// A stream of a transport stream is also listed with its program: the first value of a key counts.
    func streamValues(
        _ path: String, _ medium: String, _ containers: [String], _ query: [String], verbosity: String = "error", limit: Duration
    ) async throws -> (values: [Substring: Substring], errorText: String) {
        let (outcome, text) = try await ffprobe(
            path, containers, query + ["-of", "default=noprint_wrappers=1"], verbosity: verbosity, limit: limit)
        try FFmpeg.checkTime(of: outcome, limit, "ffprobe", path: path)
        guard outcome.status == 0 else {
            throw VidclassError.file(path, "ffmpeg found no readable \(medium): \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2, values[parts[0]] == nil { values[parts[0]] = parts[1] }
        }
        return (values, outcome.errorText)
    }

    /// A child that decodes the file at `path` to standard output; `output` chooses the stream, the filter and the format.
    func decoding(_ path: String, _ containers: [String], _ output: [String], limit: Duration, outputLimit: Int) -> ChildProcess {
        ChildProcess(
            executable: ffmpegPath,
            arguments: ["-nostdin", "-v", "error"] + FFmpeg.inputArguments(containers) + ["-i", FFmpeg.address(path)] + output
                + ["-max_error_rate", "0.1", "-threads", "1", "pipe:1"],
            timeLimit: limit, outputLimit: outputLimit)
    }

    /// Throws if `program`, run on the file at `path`, was stopped at its time limit.
    static func checkTime(
        of outcome: ChildProcess.Outcome, _ limit: Duration, _ program: String = "ffmpeg", path: String, kind: VidclassError.Kind = .badData
    ) throws {
        guard outcome.timedOut else { return }
        throw VidclassError.file(path, "\(program) was stopped after \(limit.components.seconds) seconds: it did not finish", kind: kind)
    }

    /// Throws if ffmpeg failed to decode the file at `path`.
    static func checkStatus(of outcome: ChildProcess.Outcome, path: String) throws {
        guard outcome.status != 0 else { return }
        throw VidclassError.file(path, "ffmpeg cannot decode it: \(reason(outcome.errorText, path: path))")
    }
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

/// Finds ffmpeg when it is first needed, once.
package actor FFmpegFinder {
    private let find: @Sendable () async throws -> FFmpeg
    private var search: Task<FFmpeg, any Error>?

    package init(_ find: @escaping @Sendable () async throws -> FFmpeg = { try await FFmpeg.locate() }) { self.find = find }

    package func ffmpeg() async throws -> FFmpeg {
        let search = search ?? Task { [find] in try await find() }
        self.search = search
        return try await search.value
    }
}
