import VidSystem

extension ClipLoader {
    /// Decodes the frames that `views` take from the video at `path`, without scaling them: a part of `loadAll`, for measurements. Other
    /// clips are loaded.
    package func decode(_ path: String, views: [ClipView]) async throws {
        guard case .video = try source(path) else {
            _ = try await loadAll(path, views: views)
            return
        }
        let clip = ClipPath(path)
        try await decoder.decode(path, [.withoutPixels]) { video in
            let frames = try ClipFrames(clip, of: video.times)
            return VideoDecoder.Choice([Set(try views.flatMap { try sample($0, of: frames, path: path).indices }).sorted()])
        } consume: { _, _, _ in
        }
    }
}
