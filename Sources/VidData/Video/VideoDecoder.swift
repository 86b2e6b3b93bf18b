import VidSystem
import VidTensor

/// Decodes the frames of a video to bytes with a child ffmpeg: scales the frame to cover the target size and crops its centre.
package struct VideoDecoder: Sendable {
    package let ffmpeg: FFmpeg
    /// 1 (grey) or 3 (RGB).
    package let channels: Int
    package let rows: Int
    package let columns: Int

    package init(ffmpeg: FFmpeg, channels: Int, rows: Int, columns: Int) {
        precondition(channels == 1 || channels == 3, "a video has 1 or 3 channels, not \(channels)")
        precondition((1...ClipShape.maximumSide).contains(rows) && (1...ClipShape.maximumSide).contains(columns), "\(rows)x\(columns)")
        self.ffmpeg = ffmpeg
        self.channels = channels
        self.rows = rows
        self.columns = columns
    }

    /// The frames to decode from a file, determined without decoding it.
    package struct Plan: Sendable {
        package let rule: any FrameRule
        package let video: VideoInfo
        /// The frames' numbers, ascending.
        package let indices: [Int]

        /// The rate of the chosen frames; 0 = unknown.
        package var framesPerSecond: Float {
            Float(
                indices.count == video.frames ? video.framesPerSecond : video.framesPerSecond * Double(indices.count) / Double(video.frames)
            )
        }
    }

    /// The frames that `rule` chooses from the video at `path`, by their numbers in display order.
    package func plan(_ path: String, _ rule: some FrameRule, exactly: Bool = false) async throws -> Plan {
        let video = try await ffmpeg.probe(path, exactly: exactly)
        return Plan(
            rule: rule, video: video, indices: try rule.indices(of: video.frames, sourceRate: video.framesPerSecond, path: path))
    }

    /// The frames that `selection` chooses.
    package func plan(_ path: String, _ selection: FrameSelection) async throws -> Plan {
        try await plan(path, selection, exactly: false)
    }

    /// Decodes the frames of `plan` into memory: uint8, (frames, channels, rows, columns). Returns the plan that was carried out.
    package func decode(_ path: String, _ plan: Plan) async throws -> (clip: Clip, plan: Plan) {
        let bytes = Size.product(plan.indices.count, channels * rows * columns)
        try MemoryBudget.checkLoading(Size.product(2, bytes), of: path)
        var values: [UInt8] = []
        values.reserveCapacity(bytes)
        let done = try await stream(path, plan) {
            values.removeAll(keepingCapacity: true)
        } consume: { frame in
            values.append(contentsOf: frame)
        }
        let shape = ClipShape(frames: done.indices.count, channels: channels, rows: rows, columns: columns)
        return (Clip(shape: shape, pixels: .bytes(values), framesPerSecond: done.framesPerSecond), done)
    }

    /// Passes the frames of `plan` to `consume`, one (channels, rows, columns) frame at a time. Returns the plan that was carried out.
    ///
    /// A plan counts packets. If decoding yields fewer frames than planned, the frames are counted by decoding, `restart` is called,
    /// and the frames are decoded by the new plan.
    package func stream(
        _ path: String, _ plan: Plan, restart: () throws -> Void, consume: (UnsafeRawBufferPointer) throws -> Void
    ) async throws -> Plan {
        if try await run(path, plan, consume) == plan.indices.count { return plan }
        try restart()
        let exact = try await self.plan(path, plan.rule, exactly: true)
        let count = try await run(path, exact, consume)
        guard count == exact.indices.count else { throw VideoDecoder.damaged(path, exact, found: count) }
        return exact
    }

    /// The error if frames that were counted by decoding are missing when they are decoded again.
    static func damaged(_ path: String, _ plan: Plan, found: Int) -> VidclassError {
        .file(path, "the video is damaged: expected \(plan.indices.count) decoded frames, found \(found)")
    }

    /// The filter that scales and crops. `bitexact` and `accurate_rnd` give the same bytes on every processor.
    var geometryFilter: String {
        "scale=w=\(columns):h=\(rows):force_original_aspect_ratio=increase:flags=bilinear+accurate_rnd+full_chroma_int+bitexact,"
            + "crop=w=\(columns):h=\(rows)"
    }

    /// The filter that passes only the frames at `indices`, by ranges of consecutive frames; nil if there are too many ranges.
    static func selectFilter(_ indices: [Int]) -> String? {
        var stretches: [ClosedRange<Int>] = []
        for index in indices {
            if let last = stretches.last, last.upperBound + 1 == index {
                stretches[stretches.count - 1] = last.lowerBound...index
            } else {
                stretches.append(index...index)
            }
        }
        guard stretches.count <= 512 else { return nil }
        let terms = stretches.map { $0.count == 1 ? "eq(n,\($0.lowerBound))" : "between(n,\($0.lowerBound),\($0.upperBound))" }
        return "select='\(terms.joined(separator: "+"))'"
    }

    /// Decodes once and returns how many of the wanted frames came out. `deliver` is called between pieces of the output; decoding
    /// waits for it.
    func run(
        _ path: String, _ plan: Plan, _ consume: (UnsafeRawBufferPointer) throws -> Void, deliver: () async throws -> Void = {}
    ) async throws -> Int {
        let wanted = plan.indices
        let isWhole = wanted.count == plan.video.frames
        let select = isWhole ? nil : VideoDecoder.selectFilter(wanted)
        let filtersHere = !isWhole && select == nil
        let filter = [select, geometryFilter].compactMap(\.self).joined(separator: ",")
        // Nothing is decoded past the last wanted frame. For a whole video: a packet occasionally gives two frames.
        let mostFrames = select != nil ? wanted.count : filtersHere ? (wanted.last ?? 0) + 1 : 2 * plan.video.frames + 16
        let frameBytes = channels * rows * columns
        let limit = ffmpeg.timeLimit ?? .seconds(60 + plan.video.frames * max(1, plan.video.rows * plan.video.columns / 500_000) / 8)
        let child = ffmpeg.decoding(
            path, FFmpeg.videoContainers,
            ["-map", "0:V:0", "-vf", filter] + ffmpeg.passthroughArguments
                + ["-frames:v", "\(mostFrames)", "-f", "rawvideo", "-pix_fmt", channels == 1 ? "gray" : "rgb24"],
            limit: limit, outputLimit: mostFrames * frameBytes)

        try MemoryBudget.checkLoading(2 * frameBytes, of: path)
        let planes = FramePlanes(channels: channels, pixels: rows * columns)
        var number = 0  // of the next frame
        var delivered = 0
        let outcome = try await child.run(
            { bytes in
                try planes.append(bytes) { frame in
                    defer { number += 1 }
                    if filtersHere {
                        guard delivered < wanted.count, wanted[delivered] == number else { return }
                    } else if delivered == wanted.count {
                        return  // There are more frames than packets; the rest is not in the plan.
                    }
                    delivered += 1
                    try consume(frame)
                }
            }, deliver: deliver)
        try FFmpeg.checkTime(of: outcome, limit, path: path)
        guard !outcome.outputExceeded else {
            throw VidclassError.file(
                path, "ffmpeg was stopped because it wrote more than the \(mostFrames) frames of \(frameBytes) bytes that were expected")
        }
        try FFmpeg.checkStatus(of: outcome, path: path)
        guard planes.isEmpty else { throw VidclassError.file(path, "ffmpeg stopped in the middle of frame \(number)") }
        guard number > 0 else {
            throw VidclassError.file(path, "no frame could be decoded: \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        return delivered
    }
}

/// Splits a stream of (rows, columns, channels) bytes into frames and reorders each to (channels, rows, columns).
private final class FramePlanes {
    private let channels: Int
    private let pixels: Int
    private let interleaved: UnsafeMutableRawBufferPointer
    private let planar: UnsafeMutableRawBufferPointer
    private var filled = 0

    init(channels: Int, pixels: Int) {
        self.channels = channels
        self.pixels = pixels
        interleaved = .allocate(byteCount: channels * pixels, alignment: 64)
        planar = .allocate(byteCount: channels * pixels, alignment: 64)
    }

    deinit {
        interleaved.deallocate()
        planar.deallocate()
    }

    /// Whether no incomplete frame is left over.
    var isEmpty: Bool { filled == 0 }

    /// Appends `bytes` and calls `body` with each frame that becomes complete; the frame is valid during the call.
    func append(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, interleaved.count - filled)
            (interleaved.baseAddress! + filled).copyMemory(from: rest.baseAddress!, byteCount: count)
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            guard filled == interleaved.count else { return }
            filled = 0
            guard channels > 1 else {
                try body(UnsafeRawBufferPointer(interleaved))
                continue
            }
            for channel in 0..<channels {
                let plane = planar.baseAddress! + channel * pixels
                for pixel in 0..<pixels {
                    plane.storeBytes(of: interleaved[pixel * channels + channel], toByteOffset: pixel, as: UInt8.self)
                }
            }
            try body(UnsafeRawBufferPointer(planar))
        }
    }
}
