import VidSystem

/// The kind of a clip file.
package enum ClipFormat: Sendable, Equatable {
    /// vidclass's own clip file.
    case bin
    case npy
    /// Decoded by FFmpeg.
    case video
    /// A folder of numbered pictures, decoded by FFmpeg.
    case pictures
    /// Decoded by FFmpeg and turned into spectrograms.
    case sound

    /// Extensions of videos.
    package static let videoExtensions: Set<String> = [
        // Containers.
        "mp4", "m4v", "mov", "qt", "3gp", "3gpp", "3g2", "3gpp2", "f4v", "insv", "lrv", "m4s", "avi", "divx", "amv", "mkv", "mk3d",
        "webm", "mpg", "mpeg", "mpe", "mpv", "m2p", "vob", "vro", "mod", "tod", "ts", "tp", "trp", "m2t", "mts", "m2ts", "flv", "ogv",
        "ogm",
        "wmv", "asf", "dvr-ms", "wtv", "rm", "rmvb", "mxf", "gxf", "nut", "ivf", "dav",
        // Streams without a container, and animations.
        "h264", "264", "avc", "h265", "265", "hevc", "mjpeg", "mjpg", "m1v", "m2v", "vc1", "obu", "dv", "y4m", "gif", "apng",
    ]

    /// Extensions of sounds.
    package static let soundExtensions: Set<String> = [
        "wav", "w64", "rf64", "flac", "mp3", "mp2", "mpa", "ogg", "oga", "opus", "spx", "m4a", "m4b", "aac", "aif", "aiff", "aifc", "caf",
        "au", "snd", "wma", "mka", "weba", "ra", "ac3", "eac3", "dts", "amr", "wv", "tta", "ape", "voc",
    ]

    /// The format that the extension of `path` says; nil if it is not that of a clip. The content of an existing file decides:
    /// see `init(existing:)`.
    package init?(name path: String) {
        switch PathText.fileExtension(path) {
        case "bin": self = .bin
        case "npy": self = .npy
        case let name where ClipFormat.videoExtensions.contains(name): self = .video
        case let name where ClipFormat.soundExtensions.contains(name): self = .sound
        default: return nil
        }
    }

    /// Whether other kinds of file share the extension of `path`: TypeScript and Qt translations (`.ts`, `.mts`), tracker modules,
    /// Fortran and AMPL (`.mod`), and numbered files (`.264`, `.265`).
    static func isAmbiguous(name path: String) -> Bool { ambiguousExtensions.contains(PathText.fileExtension(path)) }

    private static let ambiguousExtensions: Set<String> = ["ts", "mts", "mod", "264", "265"]

    /// Whether the extension of `path` is that of a common kind of file that is not a clip. In a data folder, such files are not opened.
    static func isOther(name path: String) -> Bool { otherExtensions.contains(PathText.fileExtension(path)) }

    private static let otherExtensions: Set<String> = Set(
        """
        txt text log md rst rtf tex csv tsv json jsonl yaml yml toml ini cfg conf xml html htm css url webloc desktop lnk
        py ipynb pyc sh bat c h cc cpp hpp m r java kt swift rs go js jsx tsx lua pl rb php f90 jl
        jpg jpeg png bmp tif tiff webp heic heif avif jp2 jxl ppm pgm pbm pnm svg psd ico exr dng cr2 cr3 nef arw thm
        srt vtt ass ssa sub idx sbv lrc cue nfo eaf textgrid trs gpx xmp
        m3u m3u8 pls ffconcat sdp mpd mid midi swf prproj mlt kdenlive
        zip tar gz tgz bz2 xz zst 7z rar iso torrent pdf doc docx xls xlsx ppt pptx odt ods odp
        h5 hdf5 safetensors pt pth onnx tflite pb ckpt pkl pickle npz mat parquet arrow feather db sqlite lock
        md5 sha1 sha256 sfv par2 part partial crdownload download ytdl aria2 tmp temp bak old swp exe dll so o a
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    /// The kinds of clips, for messages.
    static let expected =
        ".bin, .npy, a video (.mp4 .avi .mkv .mov .webm ...), a sound (.wav .flac .mp3 .ogg ...) or a folder of numbered pictures"

    /// The message for a file that neither its content nor its name shows to be a clip.
    static let notAClip = "not a clip; expected \(expected)"
}
