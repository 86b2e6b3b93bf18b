import Crypto
import VidConfig
import VidSystem
import VidTensor

/// Reads a clip through, once, for everything a check wants to know: whether it can be read to its end, its extents, and the
/// prints of its frames.
struct ClipExamination: Sendable {
    let finder: FFmpegFinder
    /// For clips that are made only as a model takes them, such as sound.
    let loader: ClipLoader?

    /// What else than the file its facts depend on.
    func variant(_ path: String) -> String {
        guard let format = ClipFormat(path: path), !ClipExamination.hasFrames(format) else { return "" }
        return loader?.sampling(.whole, of: path) ?? "none"
    }

    /// Throws the reason why the clip at `path` is bad.
    func facts(_ path: String) async throws -> ClipFacts {
        guard let format = ClipFormat(path: path) else {
            _ = try SystemCall.status(path)
            throw VidclassError.file(
                path, "is no clip; expected a name in .bin, .npy or a video's extension (.mp4 .avi .mkv .mov .webm ...)")
        }
        if format == .bin { return try facts(ClipFile.open(path), kind: "bin") }
        if format == .npy { return try facts(NumpyFile.open(path), kind: "npy") }
        if format == .video { return try await video(path) }
        guard let loader else {
            throw VidclassError.file(path, "is no clip of frames; name a config that says what is made of it")
        }
        let loaded = try await loader.load(path)
        let shape = loaded.clip.shape
        return ClipFacts(
            kind: "sound", coding: loaded.clip.element.name, frames: loaded.sourceFrames, channels: shape.channels, rows: shape.rows,
            columns: shape.columns, framesPerSecond: Double(loaded.framesPerSecond), digest: loaded.contentHash,
            prints: FramePrints(loaded.clip))
    }

    /// Whether a file of this kind has frames of its own.
    private static func hasFrames(_ format: ClipFormat) -> Bool { format == .bin || format == .npy || format == .video }

    /// The whole payload goes by once: checksum, finite values, digest; some frames are kept for their prints.
    private func facts(_ file: ArrayFile, kind: String) throws -> ClipFacts {
        let shape = file.shape
        let clip = try file.read(frames: FrameSampling.uniform(FramePrints.most, of: shape.frames))
        var hash = SHA256()
        hash.update(data: Array("\(shape) \(file.element.name)\n".utf8))
        clip.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return ClipFacts(
            kind: kind, coding: file.element.name, frames: shape.frames, channels: shape.channels, rows: shape.rows,
            columns: shape.columns, framesPerSecond: Double(file.framesPerSecond), digest: hash.finalize().hexadecimal,
            prints: FramePrints(clip))
    }

    /// Decodes every frame, grey and small, so that what cannot be decoded is found now and not in the middle of a training.
    private func video(_ path: String) async throws -> ClipFacts {
        _ = try RegularFile(path)
        let decoder = VideoDecoder(ffmpeg: try await finder.ffmpeg(), channels: 1, rows: FramePrints.side, columns: FramePrints.side)
        let plan = try await decoder.plan(path, .all)
        // Every so many frames, at most twice as many as are wanted: how many will come out is known only at the end.
        let step = max(1, plan.video.frames / FramePrints.most)
        var kept: [[UInt8]] = []
        var number = 0
        var hash = SHA256()
        let done = try await decoder.stream(path, plan) {
            kept = []
            number = 0
            hash = SHA256()
        } consume: { frame in
            hash.update(bufferPointer: frame)
            if number % step == 0 { kept.append(Array(frame)) }
            number += 1
        }
        let video = done.video
        hash.update(data: Array("\(video.rows)x\(video.columns)\n".utf8))
        let chosen = kept.isEmpty ? [] : FrameSampling.uniform(FramePrints.most, of: kept.count).map { kept[$0] }
        return ClipFacts(
            kind: "video", coding: video.codec, frames: video.frames, channels: 3, rows: video.rows, columns: video.columns,
            framesPerSecond: video.framesPerSecond, digest: hash.finalize().hexadecimal, prints: FramePrints(frames: chosen))
    }
}

/// What a model asks of clips: its input.
package struct ClipRequirements: Sendable {
    private let loader: ClipLoader

    package init(_ loader: ClipLoader) { self.loader = loader }

    /// Why a readable clip cannot be taken all the same; nil where it can.
    func fault(_ facts: ClipFacts, _ path: String) -> VidclassError? {
        if facts.kind == "video" {
            guard loader.channels == 1 || loader.channels == 3 else {
                return .file(path, "a video has 1 or 3 channels, the model's input has \(loader.channels)")
            }
        } else {
            guard facts.rows == loader.rows, facts.columns == loader.columns else {
                return .file(
                    path,
                    "expected frames of \(loader.rows)x\(loader.columns) (rows x columns), found \(facts.rows)x\(facts.columns); pack the "
                        + "videos again with `vidclass pack --rows \(loader.rows) --columns \(loader.columns)`, or set model.input.rows and "
                        + "model.input.columns")
            }
            guard facts.channels == loader.channels else {
                return .file(
                    path,
                    "expected \(loader.channels) channels, found \(facts.channels); set model.input.channels to \(facts.channels)")
            }
        }
        guard facts.frames < loader.frames, loader.shortClips == .error else { return nil }
        do {
            _ = try loader.shortClips.indices(loader.frames, of: facts.frames, path: path)
            return nil
        } catch {
            return error as? VidclassError
        }
    }
}
