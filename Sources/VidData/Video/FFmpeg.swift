import FoundationEssentials
import Subprocess
import VidSystem
import VidTensor

/// An installed ffmpeg and its ffprobe.
package struct FFmpeg: Sendable, Equatable {
    package let ffmpegPath: String
    package let ffprobePath: String
    /// As ffmpeg calls it: `5.1.9-0+deb12u1`.
    package let version: String
    /// Replaces the time limits that are made from a video's size; for tests and for very slow machines.
    package var timeLimit: Duration?

    package init(ffmpegPath: String, ffprobePath: String, version: String, timeLimit: Duration? = nil) {
        self.ffmpegPath = ffmpegPath
        self.ffprobePath = ffprobePath
        self.version = version
        self.timeLimit = timeLimit
    }

    /// Finds ffmpeg by the variable `VIDCLASS_FFMPEG` (the program, or the folder it is in), else on the `PATH`; ffprobe
    /// next to it, else on the `PATH`. `VIDCLASS_FFMPEG_SECONDS` sets the time limit of one run.
    ///
    /// Throws an error of kind `missingInput` (exit 66) that says how to install it.
    package static func locate(environment: [String: String] = ProcessInfo.processInfo.environment) async throws -> FFmpeg {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
        let ffmpeg: String
        if let named = environment["VIDCLASS_FFMPEG"], !named.isEmpty {
            let isFolder = (try? SystemCall.status(named))?.kind == .folder
            ffmpeg = isFolder ? PathText.join(named, "ffmpeg") : named
            guard isExecutable(ffmpeg) else {
                throw VidclassError(
                    .missingInput, "VIDCLASS_FFMPEG is \(named.printable), but there is no program \(ffmpeg.printable); unset it or mend it"
                )
            }
        } else if let found = find("ffmpeg", in: folders) {
            ffmpeg = found
        } else {
            throw VidclassError(.missingInput, "ffmpeg is not installed, and video and sound files need it; \(advice)")
        }
        guard let ffprobe = find("ffprobe", in: [PathText.parent(ffmpeg)] + folders) else {
            throw VidclassError(
                .missingInput, "ffprobe is not installed, though \(ffmpeg.printable) is; video and sound files need both; \(advice)")
        }
        let child = ChildProcess(executable: ffmpeg, arguments: ["-version"], timeLimit: .seconds(30), outputLimit: 1 << 20)
        let (outcome, text) = try await child.text()
        guard outcome.status == 0, text.hasPrefix("ffmpeg version ") else {
            throw VidclassError(
                .missingInput, "\(ffmpeg.printable) -version failed (status \(outcome.status)): it is no working ffmpeg; \(advice)")
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

    /// The major version; nil for a build that is not numbered (from git), which is taken as new.
    var major: Int? { Int(version.drop { $0 == "n" }.prefix { $0.isNumber }) }

    /// The minor version.
    private var minor: Int? {
        let parts = version.drop { $0 == "n" }.split(separator: ".", maxSplits: 2)
        return parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) : nil
    }

    /// Frames come out as they are, none repeated or dropped to keep a rate. The option's name changed with 5.1.
    var passthroughArguments: [String] {
        if let major, (major, minor ?? 0) < (5, 1) { return ["-vsync", "passthrough"] }
        return ["-fps_mode", "passthrough"]
    }

    private static func find(_ program: String, in folders: [String]) -> String? {
        folders.lazy.map { PathText.join($0, program) }.first(where: isExecutable)
    }

    private static func isExecutable(_ path: String) -> Bool {
        (try? SystemCall.status(path))?.kind == .file && access(path, X_OK) == 0
    }

    /// What every run on a stranger's file begins with: which protocols and containers may be opened at all (no playlist,
    /// no concatenation script, no image pattern, no address), one thread, and the most pixels a frame may have.
    static func inputArguments(_ containers: [String]) -> [String] {
        [
            "-protocol_whitelist", "file", "-format_whitelist", containers.joined(separator: ","), "-max_pixels", "\(maximumPixels)",
            "-threads", "1",
        ]
    }

    /// ffmpeg's names of the containers that videos are read from.
    static let videoContainers = ["mov", "avi", "matroska", "webm", "mpeg", "mpegts", "flv", "ogg", "asf", "gif"]

    /// 16384 x 8192.
    static let maximumPixels = 1 << 27

    /// What ffprobe lists as lines of `key=value`. A stream of a transport stream is listed with its programme, too: the
    /// first value of a key counts.
    static func values(_ text: String) -> [Substring: Substring] {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2, values[parts[0]] == nil { values[parts[0]] = parts[1] }
        }
        return values
    }

    /// The file as an address of ffmpeg's that no leading dash, colon or percent sign can turn into something else.
    static func address(_ path: String) -> String { "file:" + path }

    /// The reason in `errorText`, on one line, without ffmpeg's own addresses in memory and without the file's name.
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

/// Finds ffmpeg once, when it is first needed.
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
