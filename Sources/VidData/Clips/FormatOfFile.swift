import VidSystem

extension ClipFormat {
    /// The format of the clip at `path`: of a file by its content, and by its name if the content is of no known format; of a folder by
    /// the names in it.
    ///
    /// A name that ends in `.bin` or `.npy` also decides for a file that is no clip of any kind, so that its reader says what is wrong.
    /// Throws `.missingInput` if nothing is there, `.badData` for anything but a clip: the message says what it is.
    ///
    /// - Parameter notAClip: the message if neither content nor name is known.
    package init(existing path: String, notAClip: String = ClipFormat.notAClip) throws {
        if (try? SystemCall.status(path))?.kind == .folder {
            _ = try FrameFolder(path)
            self = .pictures
            return
        }
        guard let format = try ClipFormat(FileContent(of: RegularFile(path)), path) else { throw VidclassError.file(path, notAClip) }
        self = format
    }

    /// The format of the file at `path` among others in a folder; nil if it is not a clip.
    ///
    /// Its extension decides, if that is a common one. Otherwise the file is opened once and its first bytes decide.
    ///
    /// - Parameter kind: that of the file, after following links; only regular files are opened.
    init?(candidate path: String, _ kind: FileStatus.Kind? = .file) {
        let named = ClipFormat(name: path)
        guard kind == .file, named == nil ? !ClipFormat.isOther(name: path) : ClipFormat.isAmbiguous(name: path),
            let file = try? RegularFile(path)
        else {
            guard let named else { return nil }
            self = named
            return
        }
        let content = try? FileContent(of: file)
        if case .unrelated? = content { return nil }
        guard let format = (try? ClipFormat(content, path)) ?? named else { return nil }
        self = format
    }

    /// The format of the file at `path` for a cache key: that of the name if the file cannot be opened or is not a clip.
    init?(keyOf path: String) {
        guard let format = (try? ClipFormat(existing: path)) ?? ClipFormat(name: path) else { return nil }
        self = format
    }

    /// The format of a file of this content at `path`; nil if neither is known. Throws if the content is that of another kind of file.
    private init?(_ content: FileContent?, _ path: String) throws {
        let named = ClipFormat(name: path)
        let isArray = named == .bin || named == .npy
        switch content {
        case .clip(let format, _): self = format
        case .container: self = named == .sound ? .sound : .video
        case .picture("JPEG") where ["mjpeg", "mjpg"].contains(PathText.fileExtension(path)): self = .video
        case .substitute(let kind, let advice): throw VidclassError.file(path, "not a clip but \(kind); \(advice)")
        case .empty where !isArray: throw VidclassError.file(path, "the file is empty")
        case .picture(let kind) where !isArray:
            throw VidclassError.file(
                path,
                named == nil
                    ? "not a clip but a picture (\(kind)); expected \(ClipFormat.expected)"
                    : "not a clip but a picture (\(kind)) under the name of a clip; replace it with the clip, or remove it")
        case .unrelated(let kind) where !isArray:
            throw VidclassError.file(path, "not a clip but \(kind); expected \(ClipFormat.expected)")
        default:
            guard let named else { return nil }
            self = named
        }
    }
}

extension FileContent {
    /// Throws `.badData` for a file that is not a single picture: the message says what it is.
    static func checkPicture(_ file: RegularFile) throws {
        let found: String
        switch try FileContent(of: file) {
        case .picture("PNG"), .picture("JPEG"), .picture("WebP"), .picture("BMP"), .picture("TIFF"), .clip(.video, "mjpeg"): return
        case .picture(let kind): found = "a picture (\(kind))"
        case .clip(_, let name), .container(let name): found = name == "apng" ? "an animated PNG" : "a clip (\(name))"
        case .substitute(let kind, let advice): throw VidclassError.file(file.path, "not a picture but \(kind); \(advice)")
        case .unrelated(let kind): found = kind
        case .empty: throw VidclassError.file(file.path, "the file is empty")
        case nil: found = "a file of an unknown kind"
        }
        throw VidclassError.file(file.path, "expected one picture of a clip (\(FrameFolder.expected)), found \(found)")
    }

    /// The kind of `file` by its first bytes; nil if it is of no known format.
    fileprivate init?(of file: RegularFile) throws {
        self.init(head: try file.bytes(at: 0, count: min(file.size, FileContent.headSize)))
    }
}
