import Crypto
import VidConfig
import VidSystem
import VidTensor

/// Reads a whole clip once and gathers what a check needs: whether it is readable to its end, its extents, and prints of its frames.
struct ClipExamination: Sendable {
    let finder: FFmpegFinder
    /// For sounds, whose frames depend on the model's input.
    let loader: ClipLoader?

    /// Everything besides the file that its facts depend on.
    func variant(_ path: String) -> String {
        guard ClipFormat(path: path) == .sound else { return "" }
        return loader?.sampling(.whole, of: path) ?? "none"
    }

    /// Examines the clip at `path`. Throws the reason if it is bad.
    func facts(_ path: String) async throws -> ClipFacts {
        switch try ClipFormat(existing: path) {
        case .bin: return try facts(ClipFile.open(path), kind: "bin")
        case .npy: return try facts(NumpyFile.open(path), kind: "npy")
        case .video: return try await video(path)
        case .sound: break
        }
        guard let loader else {
            throw VidclassError.file(path, "the frames of a sound depend on the model's input; give a config with --config")
        }
        let loaded = try await loader.load(path)
        let shape = loaded.clip.shape
        return ClipFacts(
            kind: "sound", coding: loaded.clip.element.name, frames: loaded.sourceFrames, channels: shape.channels, rows: shape.rows,
            columns: shape.columns, framesPerSecond: Double(loaded.framesPerSecond), digest: loaded.contentHash,
            prints: FramePrints(loaded.clip))
    }

    /// Reads the whole payload once: verifies checksum and finite values, and keeps some frames for digest and prints.
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

    /// Decodes every frame, grey and small, so that decoding errors are found now and not in the middle of a training.
    private func video(_ path: String) async throws -> ClipFacts {
        _ = try RegularFile(path)
        let decoder = VideoDecoder(ffmpeg: try await finder.ffmpeg(), channels: 1, rows: FramePrints.side, columns: FramePrints.side)
        let plan = try await decoder.plan(path, .all)
        // Keeps every `step`th frame, at most twice as many as needed, because the number of frames is certain only at the end.
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

extension ClipLoader {
    /// The reason why this loader cannot take the readable clip at `path`; nil if it can.
    func fault(_ facts: ClipFacts, _ path: String) -> VidclassError? {
        let fault =
            facts.kind == "video"
            ? videoFault(path) : sizeFault(channels: facts.channels, rows: facts.rows, columns: facts.columns, path)
        if let fault { return fault }
        guard facts.frames < frames else { return nil }
        do {
            _ = try shortClips.indices(frames, of: facts.frames, path: path)
            return nil
        } catch {
            return error as? VidclassError
        }
    }
}
