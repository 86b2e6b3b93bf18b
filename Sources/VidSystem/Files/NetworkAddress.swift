/// Recognises addresses in a network, such as `rtsp://camera/stream`, where a file is expected.
package enum NetworkAddress {
    /// Hosts whose pages show videos.
    private static let pages = ["youtube.com", "youtu.be", "vimeo.com", "tiktok.com", "dailymotion.com", "twitch.tv", "bilibili.com"]

    /// Says that `path` is an address on the network, and how to get a file from there; nil if it is none.
    package static func advice(_ path: String) -> String? {
        let scheme = path.unicodeScalars.prefix {
            $0.isASCII && ($0.properties.isAlphabetic || "+.-0123456789".unicodeScalars.contains($0))
        }
        let rest = path.unicodeScalars.dropFirst(scheme.count)
        guard !scheme.isEmpty, rest.starts(with: "://".unicodeScalars) else {
            let host = path.prefix { $0 != "/" }.lowercased()
            return path.contains("/") && pages.contains { host == $0 || host == "www." + $0 } ? advice("https://" + path) : nil
        }
        let place = String(String.UnicodeScalarView(rest.dropFirst(3)))
        let found = "is an address, and vidclass reads only files"
        func command(_ words: String...) -> String { "`\(ShellText.command(words))`" }
        switch String(String.UnicodeScalarView(scheme)).lowercased() {
        case "file": return "is a web address; give the path instead: \(ShellText.quoted(place))"
        case "http", "https", "ftp":
            let file = place.prefix { $0 != "?" && $0 != "#" }
            let host = place.prefix { $0 != "/" }.lowercased()
            let isPage =
                pages.contains { host == $0 || host.hasSuffix("." + $0) } || !file.contains("/")
                || PathText.fileExtension(String(file)).isEmpty
            return isPage
                ? "\(found). If a video is there, download it first, for example with \(command("yt-dlp", "-o", "video.mp4", path))"
                : "\(found). Download it first: \(command("curl", "-L", "-o", PathText.name(String(file)), path))"
        case "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp", "mms":
            return "\(found). Record a part of the stream first, here a minute: "
                + command("ffmpeg", "-i", path, "-t", "60", "-c", "copy", "recording.mkv")
        default: return "\(found). Copy the file to this machine first"
        }
    }
}
