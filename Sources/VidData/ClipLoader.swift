import VidConfig
import VidTensor

/// A clip as the network takes it: a fixed number of frames of a fixed size.
package struct LoadedClip: Sendable, Equatable {
    package let clip: Clip
    /// Frames that count; fewer than `clip.shape.frames` only under `ShortClips.mask`.
    package let validFrames: Int
    /// The frames the file had before sampling.
    package let sourceFrames: Int

    /// Frames a second of the sampled frames; 0 = unknown.
    package var framesPerSecond: Float { clip.framesPerSecond }

    /// SHA-256 of the sampled frames: the content part of a feature cache's key.
    package var contentHash: String { clip.contentHash }
}

/// Loads clips of any kind (`.bin`, `.npy`, video, sound) in the size a model takes.
///
/// Frames are sampled by `FrameSampling.uniform`, the same way from every kind; clips with fewer are completed by
/// `shortClips`. Videos are resized, cut and brought to the model's channels; the frames of `.bin` and `.npy` files must
/// have its channels, rows and columns already.
package struct ClipLoader: Sendable {
    package let frames: Int
    package let channels: Int
    package let rows: Int
    package let columns: Int
    package let shortClips: ShortClips
    private let sounds: SoundClips
    private let finder: FFmpegFinder

    package init(
        frames: Int, channels: Int, rows: Int, columns: Int, shortClips: ShortClips = .loop,
        audio: AudioConfiguration = AudioConfiguration(),
        finder: FFmpegFinder = FFmpegFinder()
    ) {
        precondition(
            frames >= 1 && channels >= 1 && rows >= 1 && columns >= 1, "a model's input of (\(frames), \(channels), \(rows), \(columns))")
        self.frames = frames
        self.channels = channels
        self.rows = rows
        self.columns = columns
        self.shortClips = shortClips
        sounds = SoundClips(SpectrogramFrames(audio, channels: channels, rows: rows, columns: columns), finder: finder)
        self.finder = finder
    }

    /// A loader of clips for a model's input, sampled and changed as the configuration says.
    package init(
        input: InputConfiguration, data: DataConfiguration, augmentation: AugmentationConfiguration = AugmentationConfiguration(),
        finder: FFmpegFinder = FFmpegFinder()
    ) {
        self.init(
            frames: input.frames, channels: input.channels, rows: input.rows, columns: input.columns, shortClips: data.shortClips,
            audio: data.audio, finder: finder)
    }

    /// What `view` takes from a file, as text: two loaders with the same text make the same clip of it.
    package func sampling(_ view: ClipView) -> String {
        "uniform \(frames) of \(channels) x \(rows) x \(columns), short clips \(shortClips.rawValue), sound \(sounds.text)"
    }

    /// The clip at `path`, as `view` takes it.
    package func load(_ path: String, _ view: ClipView = .whole) async throws -> LoadedClip {
        guard let format = ClipFormat(path: path) else {
            _ = try SystemCall.status(path)
            throw VidclassError.file(
                path,
                "is no clip; expected a name in .bin, .npy or the extension of a video (.mp4 .avi .mkv .mov .webm ...) or sound (.wav .flac .mp3 .ogg ...)"
            )
        }
        switch format {
        case .bin: return try load(ClipFile.open(path))
        case .npy: return try load(NumpyFile.open(path))
        case .video:
            // Looked at first, so that a missing video is reported as that even where ffmpeg is missing, too.
            _ = try RegularFile(path)
            guard channels == 1 || channels == 3 else {
                throw VidclassError.file(path, "a video has 1 or 3 channels, the model's input has \(channels)")
            }
            let decoder = VideoDecoder(ffmpeg: try await finder.ffmpeg(), channels: channels, rows: rows, columns: columns)
            let plan = try await decoder.plan(path, .uniform(frames))
            try checkLength(plan.video.frames, path)
            let (clip, done) = try await decoder.decode(path, plan)
            return try complete(clip, sourceFrames: done.video.frames, path)
        case .sound: return try load(await sounds.clip(path), path)
        }
    }

    /// Takes the frames out of a clip that is in memory as a whole.
    private func load(_ clip: Clip, _ path: String) throws -> LoadedClip {
        let found = clip.shape.frames
        try checkLength(found, path)
        let indices = FrameSampling.uniform(frames, of: found)
        let rate = clip.framesPerSecond * Float(indices.count) / Float(found)
        return try complete(clip.selecting(indices, framesPerSecond: rate), sourceFrames: found, path)
    }

    private func load(_ file: ArrayFile) throws -> LoadedClip {
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
        try checkLength(shape.frames, file.path)
        let clip = try file.read(frames: FrameSampling.uniform(frames, of: shape.frames))
        return try complete(clip, sourceFrames: shape.frames, file.path)
    }

    /// Refuses a short clip, where such are refused, before its frames are read.
    private func checkLength(_ found: Int, _ path: String) throws {
        if found < frames, shortClips == .error { _ = try shortClips.indices(frames, of: found, path: path) }
    }

    private func complete(_ clip: Clip, sourceFrames: Int, _ path: String) throws -> LoadedClip {
        let (indices, valid) = try shortClips.indices(frames, of: clip.shape.frames, path: path)
        return LoadedClip(clip: clip.selecting(indices), validFrames: valid, sourceFrames: sourceFrames)
    }
}
