import VidSystem
import VidTensor

/// Decodes the frames of a video by a child ffmpeg: the short side resized to fit, the centre cut out, as bytes.
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

    /// Which frames a file gives: what `plan` finds without decoding.
    package struct Plan: Sendable {
        package let rule: any FrameRule
        package let video: VideoInfo
        /// Rising.
        package let indices: [Int]

        /// Of the frames taken; 0 = unknown.
        package var framesPerSecond: Float {
            Float(
                indices.count == video.frames ? video.framesPerSecond : video.framesPerSecond * Double(indices.count) / Double(video.frames)
            )
        }
    }

    /// The frames that `rule` takes of the video at `path`, by their numbers in the order of showing.
    package func plan(_ path: String, _ rule: some FrameRule, exactly: Bool = false) async throws -> Plan {
        let video = try await ffmpeg.probe(path, exactly: exactly)
        return Plan(
            rule: rule, video: video, indices: try rule.indices(of: video.frames, sourceRate: video.framesPerSecond, path: path))
    }

    /// The frames that `selection` takes.
    package func plan(_ path: String, _ selection: FrameSelection) async throws -> Plan {
        try await plan(path, selection, exactly: false)
    }

    /// The frames of `plan` in memory: uint8, (frames, channels, rows, columns). The plan that comes back is what was done.
    package func decode(_ path: String, _ plan: Plan) async throws -> (clip: Clip, plan: Plan) {
        var values: [UInt8] = []
        values.reserveCapacity(plan.indices.count * channels * rows * columns)
        let done = try await stream(path, plan) {
            values.removeAll(keepingCapacity: true)
        } consume: { frame in
            values.append(contentsOf: frame)
        }
        let shape = ClipShape(frames: done.indices.count, channels: channels, rows: rows, columns: columns)
        return (Clip(shape: shape, pixels: .bytes(values), framesPerSecond: done.framesPerSecond), done)
    }

    /// Hands the frames of `plan` to `consume`, one (channels, rows, columns) frame at a time, and says which they were.
    ///
    /// A plan counts packets. Where fewer frames come out than were to be taken, they are counted by decoding, `restart`
    /// is called and the frames are taken anew.
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

    /// Frames counted by decoding did not come out when they were decoded again.
    static func damaged(_ path: String, _ plan: Plan, found: Int) -> VidclassError {
        .file(path, "\(plan.indices.count) frames were to be decoded, \(found) came out: the video is damaged")
    }

    /// The filter that resizes and cuts. `bitexact` and `accurate_rnd` make the same bytes on every processor.
    var geometryFilter: String {
        "scale=w=\(columns):h=\(rows):force_original_aspect_ratio=increase:flags=bilinear+accurate_rnd+full_chroma_int+bitexact,"
            + "crop=w=\(columns):h=\(rows)"
    }

    /// The filter that lets through frames `indices` alone; stretches of neighbours count as one. Nil for too many stretches.
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

    /// Decodes once; returns how many of the frames wanted came out. `deliver` is called now and then between frames; decoding
    /// waits for it.
    func run(
        _ path: String, _ plan: Plan, _ consume: (UnsafeRawBufferPointer) throws -> Void, deliver: () async throws -> Void = {}
    ) async throws -> Int {
        let wanted = plan.indices
        let isWhole = wanted.count == plan.video.frames
        let select = isWhole ? nil : VideoDecoder.selectFilter(wanted)
        let areChosenHere = !isWhole && select == nil
        let filter = [select, geometryFilter].compactMap(\.self).joined(separator: ",")
        // Nothing is decoded past the last frame wanted. Of a whole video: a packet gives a frame, now and then two.
        let mostFrames = select != nil ? wanted.count : areChosenHere ? (wanted.last ?? 0) + 1 : 2 * plan.video.frames + 16
        let frameBytes = channels * rows * columns
        let limit = ffmpeg.timeLimit ?? .seconds(60 + plan.video.frames * max(1, plan.video.rows * plan.video.columns / 500_000) / 8)
        let child = ChildProcess(
            executable: ffmpeg.ffmpegPath,
            arguments: ["-nostdin", "-v", "error"] + FFmpeg.inputArguments(FFmpeg.videoContainers) + [
                "-i", FFmpeg.address(path), "-map", "0:V:0", "-vf", filter,
            ]
                + ffmpeg.passthroughArguments + ["-frames:v", "\(mostFrames)", "-max_error_rate", "0.1", "-threads", "1"]
                + ["-f", "rawvideo", "-pix_fmt", channels == 1 ? "gray" : "rgb24", "pipe:1"],
            timeLimit: limit, outputLimit: mostFrames * frameBytes)

        let planes = FramePlanes(channels: channels, pixels: rows * columns)
        var number = 0  // of the frame that comes next
        var taken = 0
        let outcome = try await child.run(
            { bytes in
                try planes.append(bytes) { frame in
                    defer { number += 1 }
                    if areChosenHere {
                        guard taken < wanted.count, wanted[taken] == number else { return }
                    } else if taken == wanted.count {
                        return  // more frames than packets: the rest is not part of the plan
                    }
                    taken += 1
                    try consume(frame)
                }
            }, deliver: deliver)
        guard !outcome.timedOut else {
            throw VidclassError.file(path, "ffmpeg was stopped after \(limit.components.seconds) seconds: decoding did not come to an end")
        }
        guard !outcome.outputExceeded else {
            throw VidclassError.file(path, "ffmpeg gave more than the \(mostFrames) frames of \(frameBytes) bytes expected and was stopped")
        }
        guard outcome.status == 0 else {
            throw VidclassError.file(path, "ffmpeg cannot decode it: \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        guard planes.isEmpty else { throw VidclassError.file(path, "ffmpeg stopped in the middle of frame \(number)") }
        guard number > 0 else {
            throw VidclassError.file(path, "no frame could be decoded: \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        return taken
    }
}

/// Cuts a stream of (rows, columns, channels) bytes into frames and turns each into (channels, rows, columns).
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

    /// Whether no part of a frame is left over.
    var isEmpty: Bool { filled == 0 }

    /// Takes `bytes` and calls `body` with each frame that becomes whole; the frame is valid during the call.
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
