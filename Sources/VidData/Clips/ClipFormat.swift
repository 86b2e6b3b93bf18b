import VidTensor

/// Which kind of clip a file is, by its extension.
package enum ClipFormat: Sendable, Equatable {
    /// vidclass's own clip file.
    case bin
    case npy
    /// Decoded by ffmpeg.
    case video

    /// Extensions taken for videos; all their containers are on `VideoDecoder`'s list.
    package static let videoExtensions: Set<String> = [
        "mp4", "m4v", "mov", "qt", "3gp", "3g2", "avi", "mkv", "webm", "mpg", "mpeg", "vob", "ts", "mts", "m2ts", "flv", "ogv", "ogg",
        "wmv", "asf", "gif",
    ]

    /// Nil for a file that is no clip.
    package init?(path: String) {
        switch PathText.fileExtension(path) {
        case "bin": self = .bin
        case "npy": self = .npy
        case let name where ClipFormat.videoExtensions.contains(name): self = .video
        default: return nil
        }
    }
}
