import VidSystem
import VidTensor

/// Which kind of clip a file is, by its extension.
package enum ClipFormat: Sendable, Equatable {
    /// vidclass's own clip file.
    case bin
    case npy
    /// Decoded by ffmpeg.
    case video
    /// Decoded by ffmpeg, and turned into spectrograms.
    case sound

    /// Extensions taken for videos; all their containers are on `FFmpeg.videoContainers`.
    package static let videoExtensions: Set<String> = [
        "mp4", "m4v", "mov", "qt", "3gp", "3g2", "avi", "mkv", "webm", "mpg", "mpeg", "vob", "ts", "mts", "m2ts", "flv", "ogv",
        "wmv", "asf", "gif",
    ]

    /// Extensions taken for sounds; all their containers are on `FFmpeg.soundContainers`.
    package static let soundExtensions: Set<String> = [
        "wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff",
    ]

    /// Nil for a file that is no clip.
    package init?(path: String) {
        switch PathText.fileExtension(path) {
        case "bin": self = .bin
        case "npy": self = .npy
        case let name where ClipFormat.videoExtensions.contains(name): self = .video
        case let name where ClipFormat.soundExtensions.contains(name): self = .sound
        default: return nil
        }
    }
}
