import VidConfig
import VidSystem
import VidTensor

/// Loads clips of any kind (`.bin`, `.npy`, video, folder of pictures, sound) in the size of a model's input.
///
/// `FrameSampler` chooses the frames in the same way for every kind; `ClipAugmentation` changes training views; `shortClips`
/// extends clips with fewer frames. Videos are scaled, cropped and converted to the model's channels; the frames of `.bin` and
/// `.npy` files must already have its channels, rows and columns. For a model of vectors, all clips are `.npy` files of vectors; their
/// frames are 1 row with a column for each feature. A path may name a part of a file: see `ClipPath`.
package struct ClipLoader: Sendable {
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// Numbers of each vector, for a model of vectors over time; nil for frames of pixels.
    package private(set) var features: Int?
    package let sampler: FrameSampler
    package let shortClips: ShortClips
    package let augmentation: AugmentationConfiguration
    /// Whether interlaced video is deinterlaced.
    package let deinterlaces: Bool
    /// Whether the model expects pixels from 0 to 255 (any `data.preprocessing` but `none`).
    package private(set) var expectsBytes = true
    let sounds: SoundClips
    let files: MediaFiles
    /// Clips that were decoded before; each is taken from there once.
    private var store: ClipStore?

    package init(
        frames: Int, channels: Int, rows: Int, columns: Int, sampling: SamplingConfiguration = SamplingConfiguration(),
        shortClips: ShortClips = .loop, augmentation: AugmentationConfiguration = AugmentationConfiguration(),
        audio: AudioConfiguration = AudioConfiguration(), deinterlaces: Bool = true, files: MediaFiles = MediaFiles()
    ) {
        precondition(
            frames >= 1 && channels >= 1 && rows >= 1 && columns >= 1, "invalid input (\(frames), \(channels), \(rows), \(columns))")
        self.channels = channels
        self.rows = rows
        self.columns = columns
        sampler = FrameSampler(frames: frames, sampling: sampling)
        self.shortClips = shortClips
        self.augmentation = augmentation
        self.deinterlaces = deinterlaces
        sounds = SoundClips(SpectrogramFrames(audio, channels: channels, rows: rows, columns: columns), files: files)
        self.files = files
    }

    /// Creates the loader of a run: `model.input`, `data` and `augmentation` of the configuration.
    package init(_ configuration: RunConfiguration) {
        let (input, data) = (configuration.model.input, configuration.data)
        self.init(
            frames: input.frames, channels: input.channels, rows: input.rows, columns: input.columns, sampling: data.sampling,
            shortClips: data.shortClips, augmentation: configuration.augmentation, audio: data.audio, deinterlaces: data.deinterlace,
            files: MediaFiles(folderRate: data.frameFolderRate))
        expectsBytes = data.preprocessing != PreprocessingName.none
        features = input.features
    }

    /// The same loader, which first looks into `store`.
    package func taking(from store: ClipStore?) -> ClipLoader {
        var loader = self
        loader.store = store
        return loader
    }

    /// Forgets what the store, if there is one, still holds of these files.
    package func forget(_ paths: some Sequence<String>) { store?.remove(paths) }

    /// The number of frames of a loaded clip.
    package var frames: Int { sampler.frames }

    /// Whether training views of one file differ from stream to stream and from evaluation views.
    package var variesInTraining: Bool { sampler.sampling.isRandom || augmentation.changesClips }

    /// Cache key: loaders with equal keys produce the same clip for `view`.
    ///
    /// A training view without any randomness has the key of `ClipView.whole`. The parameters of spectrograms are part of it only
    /// if `path` is a sound.
    package func sampling(_ view: ClipView, of path: String = "") -> String {
        var details = ""
        var isTraining = false
        switch view {
        case .evaluation(0, 1): break
        case .evaluation(let index, let count): details = ", sample \(index) of \(count)"
        case .window(let start, let length): details = ", the \(length) seconds from \(start)"
        case .training(let seed, let stream):
            guard variesInTraining else { break }
            isTraining = true
            details = ", stream \(stream) of seed \(seed)"
            if augmentation.changesClips { details += ", changed by \(augmentation.text)" }
        }
        return "\(sampler.text(training: isTraining)) \(frames) of \(channels) x \(rows) x \(columns), short clips \(shortClips.rawValue)"
            + details + (deinterlaces ? "" : ", fields woven") + ownSampling(ClipPath.file(path))
    }

    /// The part of the key that only some kinds of files have.
    private func ownSampling(_ file: String) -> String {
        switch ClipFormat(keyOf: file) {
        case .sound: ", \(sounds.text)"
        case .pictures: files.folderRate.map { ", pictures at \($0) a second" } ?? ""
        default: ""
        }
    }

    /// Loads the sample that `view` takes from the clip at `path`.
    package func load(_ path: String, _ view: ClipView = .whole) async throws -> LoadedClip {
        if let clip = store?.take(path, sampling: sampling(view, of: path)) { return clip }
        switch try source(path) {
        case .array(let file, let frames):
            let sampled = try sample(view, of: frames, path: path)
            return sampled.clip(of: try file.read(frames: sampled.indices, within: frames.range))
        case .video: return try await loadVideo(path, view)
        case .sound:
            let (whole, start) = try await sounds.clip(path)
            return try sample(view, of: whole, from: start, path: path)
        }
    }

    /// The frames of the clip at `path`, without reading the pixels of videos and arrays.
    package func clipFrames(of path: String) async throws -> ClipFrames {
        if try ClipFormat(existing: ClipPath.file(path)) == .sound {
            let (clip, start) = try await sounds.clip(path)
            return ClipFrames(FrameTimes(count: clip.shape.frames, rate: Double(clip.framesPerSecond)), from: start)
        }
        return try await ClipInformation.read(path, files: files).clipFrames
    }

    /// The times of the frames of the clip at `path`, from its first one on.
    package func times(of path: String) async throws -> FrameTimes { try await clipFrames(of: path).times }

    /// The source of a clip's frames.
    enum Source {
        /// A file, and the clip's frames in it.
        case array(ArrayFile, ClipFrames)
        /// A video, or a folder of pictures.
        case video
        case sound
    }

    /// Opens the clip at `path`. Throws if the file is missing, is not a clip, or holds frames of another size than the model's.
    func source(_ path: String) throws -> Source {
        let clip = ClipPath(path)
        func array(_ file: ArrayFile) throws -> Source { .array(try fitting(file), try ClipFrames(clip, of: file.times)) }
        switch try ClipFormat(existing: clip.file) {
        case .bin: return try array(ClipFile.open(clip.file))
        case .npy: return try array(NumpyFile.open(clip.file))
        case .video, .pictures:
            if let fault = vectorsFault(isVectors: false, path) { throw fault }
            return .video
        case .sound:
            if let fault = vectorsFault(isVectors: false, path) { throw fault }
            return .sound
        }
    }

    /// All frames of the clip at `path`, an array: those of the part of the file, if one is named.
    package func wholeArray(_ path: String) throws -> Clip {
        guard case .array(let file, let frames) = try source(path) else { throw VidclassError.file(path, "expected an array") }
        return try file.read(frames: Array(frames.range), within: frames.range)
    }

    /// A decoder for videos.
    var decoder: VideoDecoder { VideoDecoder(deinterlaces: deinterlaces, files: files) }

    /// Decodes a stream's frames in the model's size while it comes; see `VideoDecoder.follow`.
    package func follow(
        _ source: StreamSource, begin: (StreamDescription) throws -> Void,
        consume: (_ time: Int64, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> StreamResult {
        if let fault = vectorsFault(isVectors: false, source.name) { throw fault }
        return try await decoder.follow(source, frameSize(source.name), begin: begin, consume: consume)
    }

    /// The model's size for frames of the video at `path`. Throws if videos have no such channels.
    func frameSize(_ path: String) throws -> FrameSize {
        if let fault = videoFault(path) { throw fault }
        return FrameSize(channels: channels, rows: rows, columns: columns)
    }

    /// Refuses a file whose frames have another size than the model's. Nothing of them is read; videos, pictures and sounds take any size.
    package func checkSize(of path: String) throws {
        _ = try source(path)
    }

    private func fitting(_ file: ArrayFile) throws -> ArrayFile {
        if let fault = vectorsFault(isVectors: file.isVectors, features: file.shape.columns, file.path) { throw fault }
        if let fault = sizeFault(channels: file.shape.channels, rows: file.shape.rows, columns: file.shape.columns, file.path) {
            throw fault
        }
        return file
    }

    /// The error for vectors if the model takes pixels, for another number of features, and for pixels or sounds if it takes vectors; nil
    /// if they fit.
    func vectorsFault(isVectors: Bool, features found: Int = 0, _ path: String) -> VidclassError? {
        switch (features, isVectors) {
        case (nil, false): return nil
        case (nil, true):
            return .file(
                path,
                "expected frames of pixels, found vectors of \(found) features; train a model of vectors with "
                    + ShellText.setting("model.input", "{\"frames\": \(frames), \"features\": \(found)}") + " "
                    + ShellText.setting("model.cnn", "null"))
        case (let features?, false):
            return .file(
                path,
                "expected vectors (a .npy file of (frames, \(features))), found pixels or sound; train a model of pixels without "
                    + "model.input.features")
        case (let features?, true):
            guard features != found else { return nil }
            return .file(
                path, "expected \(features) features, found \(found); train with \(ShellText.setting("model.input.features", "\(found)"))")
        }
    }

    /// The error for a video if the model's channels do not fit videos.
    func videoFault(_ path: String) -> VidclassError? {
        guard channels != 1, channels != 3 else { return nil }
        return .file(
            path,
            "a video has 1 or 3 channels, but the model's input has \(channels); train with \(ShellText.setting("model.input.channels", "3"))"
        )
    }

    /// The error for a file whose frames have another size than the model's input; nil if they fit.
    func sizeFault(channels found: Int, rows foundRows: Int, columns foundColumns: Int, _ path: String) -> VidclassError? {
        guard foundRows == rows, foundColumns == columns else {
            return .file(
                path,
                "expected frames of \(rows)x\(columns) (rows x columns), found \(foundRows)x\(foundColumns); pack the videos again with "
                    + "`\(ShellText.vidclass("pack", "VIDEOS", "CLIPS", "--rows", "\(rows)", "--columns", "\(columns)"))`, or train with "
                    + "\(ShellText.setting("model.input.rows", "\(foundRows)")) "
                    + ShellText.setting("model.input.columns", "\(foundColumns)"))
        }
        guard found == channels else {
            return .file(
                path, "expected \(channels) channels, found \(found); train with \(ShellText.setting("model.input.channels", "\(found)"))")
        }
        return nil
    }
}
