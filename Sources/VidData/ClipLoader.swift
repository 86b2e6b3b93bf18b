import VidConfig
import VidSystem
import VidTensor

/// A clip as the network takes it: a fixed number of frames of a fixed size.
package struct LoadedClip: Sendable, Equatable {
    package let clip: Clip
    /// Frames that count; fewer than `clip.shape.frames` only under `ShortClips.mask`.
    package let validFrames: Int
    /// The frames the file had before sampling.
    package let sourceFrames: Int

    package init(clip: Clip, validFrames: Int, sourceFrames: Int) {
        precondition((1...clip.shape.frames).contains(validFrames), "\(validFrames) frames of \(clip.shape.frames) count")
        self.clip = clip
        self.validFrames = validFrames
        self.sourceFrames = sourceFrames
    }

    /// Frames a second of the sampled frames; 0 = unknown.
    package var framesPerSecond: Float { clip.framesPerSecond }

    /// SHA-256 of the sampled frames: the content part of a feature cache's key.
    package var contentHash: String { clip.contentHash }
}

/// Loads clips of any kind (`.bin`, `.npy`, video, sound) in the size a model takes.
///
/// Frames are sampled by `FrameSampler`, the same way from every kind; training views are changed by `ClipAugmentation`;
/// clips with fewer frames are completed by `shortClips`. Videos are resized, cut and brought to the model's channels; the
/// frames of `.bin` and `.npy` files must have its channels, rows and columns already.
package struct ClipLoader: Sendable {
    package let channels: Int
    package let rows: Int
    package let columns: Int
    package let sampler: FrameSampler
    package let shortClips: ShortClips
    package let augmentation: AugmentationConfiguration
    let sounds: SoundClips
    private let finder: FFmpegFinder

    package init(
        frames: Int, channels: Int, rows: Int, columns: Int, sampling: SamplingConfiguration = SamplingConfiguration(),
        shortClips: ShortClips = .loop, augmentation: AugmentationConfiguration = AugmentationConfiguration(),
        audio: AudioConfiguration = AudioConfiguration(), finder: FFmpegFinder = FFmpegFinder()
    ) {
        precondition(
            frames >= 1 && channels >= 1 && rows >= 1 && columns >= 1, "a model's input of (\(frames), \(channels), \(rows), \(columns))")
        self.channels = channels
        self.rows = rows
        self.columns = columns
        sampler = FrameSampler(frames: frames, sampling: sampling)
        self.shortClips = shortClips
        self.augmentation = augmentation
        sounds = SoundClips(SpectrogramFrames(audio, channels: channels, rows: rows, columns: columns), finder: finder)
        self.finder = finder
    }

    /// A loader of clips for a model's input, sampled and changed as the configuration says.
    package init(
        input: InputConfiguration, data: DataConfiguration, augmentation: AugmentationConfiguration = AugmentationConfiguration(),
        finder: FFmpegFinder = FFmpegFinder()
    ) {
        self.init(
            frames: input.frames, channels: input.channels, rows: input.rows, columns: input.columns, sampling: data.sampling,
            shortClips: data.shortClips, augmentation: augmentation, audio: data.audio, finder: finder)
    }

    /// Frames of a clip.
    package var frames: Int { sampler.frames }

    /// Whether training views of one file differ from stream to stream, and from what evaluation sees.
    package var variesInTraining: Bool { sampler.isRandom || augmentation.changesClips }

    /// What `view` takes from a file, as text: two loaders with the same text make the same clip of it.
    ///
    /// A training view of which nothing is left to chance has the text of `ClipView.whole`.
    ///
    /// - Parameter path: of the file; the parameters of spectrograms count for sounds alone.
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
            + details + (ClipFormat(path: path) == .sound ? ", \(sounds.text)" : "")
    }

    /// The clip at `path`, as `view` takes it.
    package func load(_ path: String, _ view: ClipView = .whole) async throws -> LoadedClip {
        switch try source(path) {
        case .array(let file):
            try check(file)
            let sampled = try sample(view, of: file.shape.frames, rate: Double(file.framesPerSecond), path: path)
            return sampled.clip(of: try file.read(frames: sampled.indices))
        case .video:
            let decoder = try await decoder(path)
            let plan = try await decoder.plan(path, ViewsRule(loader: self, views: [view]), exactly: false)
            let (clip, done) = try await decoder.decode(path, plan)
            return try sample(view, of: done.video.frames, rate: done.video.framesPerSecond, path: path).clip(of: clip)
        case .sound: return try take(view, of: await sounds.clip(path), path: path)
        }
    }

    /// How many frames the clip at `path` has and at what rate; their pixels are not read.
    package func length(of path: String) async throws -> ClipLength {
        if ClipFormat(path: path) == .sound {
            let clip = try await sounds.clip(path)
            return ClipLength(frames: clip.shape.frames, framesPerSecond: Double(clip.framesPerSecond))
        }
        let information = try await ClipInformation.read(path, finder: finder)
        return ClipLength(frames: information.frames, framesPerSecond: information.framesPerSecond)
    }

    /// Where frames come from.
    enum Source {
        case array(ArrayFile)
        case video
        case sound
    }

    /// What `path` is, by its name; a missing file is an error.
    func source(_ path: String) throws -> Source {
        switch ClipFormat(path: path) {
        case .bin: return .array(try ClipFile.open(path))
        case .npy: return .array(try NumpyFile.open(path))
        case .video, .sound:
            // Looked at first, so that a missing file is reported as that even where ffmpeg is missing, too.
            _ = try RegularFile(path)
            return ClipFormat(path: path) == .video ? .video : .sound
        case nil:
            _ = try SystemCall.status(path)
            throw VidclassError.file(
                path,
                "is no clip; expected a name in .bin, .npy or the extension of a video (.mp4 .avi .mkv .mov .webm ...) or sound (.wav .flac .mp3 .ogg ...)"
            )
        }
    }

    /// A decoder of videos in the model's size.
    func decoder(_ path: String) async throws -> VideoDecoder {
        guard channels == 1 || channels == 3 else {
            throw VidclassError.file(path, "a video has 1 or 3 channels, the model's input has \(channels)")
        }
        return VideoDecoder(ffmpeg: try await finder.ffmpeg(), channels: channels, rows: rows, columns: columns)
    }

    /// Refuses frames of another size than the model's.
    func check(_ file: ArrayFile) throws {
        let shape = file.shape
        guard shape.rows == rows, shape.columns == columns else {
            throw VidclassError.file(
                file.path,
                "expected frames of \(rows)x\(columns) (rows x columns), found \(shape.rows)x\(shape.columns); pack the videos again with "
                    + "`vidclass pack --rows \(rows) --columns \(columns)`, or set model.input.rows and model.input.columns")
        }
        guard shape.channels == channels else {
            throw VidclassError.file(
                file.path, "expected \(channels) channels, found \(shape.channels); set model.input.channels to \(shape.channels)")
        }
    }
}
