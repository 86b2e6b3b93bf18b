import VidSystem
import VidTensor

extension ClipLoader {
    /// Loads several views of the clip at `path` in one pass over its frames. Calls `body` once for each, with its place in `views`.
    ///
    /// A window is delivered as soon as its last frame has passed, so memory holds only unfinished windows. Other views depend on the
    /// number of frames, which is certain only at the end. Decoding waits while `body` works. An error later in the file (a damaged
    /// video, a wrong checksum) is thrown after the windows before it have been delivered.
    package func load(_ path: String, views: [ClipView], _ body: (_ view: Int, LoadedClip) async throws -> Void) async throws {
        guard !views.isEmpty else { return }
        switch try source(path) {
        case .array(let file, let frames):
            let assembly = try ClipAssembly(self, Array(views.enumerated()), of: frames, element: file.element, path: path)
            try await file.stream(frames: assembly.indices, within: frames.range) {
                assembly.append($0)
            } deliver: {
                for number in assembly.takeFinished() { try await body(assembly.view(number), assembly.clip(number)) }
            }
            for number in assembly.takeRest() { try await body(assembly.view(number), assembly.clip(number)) }
        case .video: try await loadVideo(path, views, body)
        case .sound:
            let (whole, start) = try await sounds.clip(path)
            for (place, view) in views.enumerated() { try await body(place, try sample(view, of: whole, from: start, path: path)) }
        }
    }

    /// Loads several views of the clip at `path` in one pass over its frames; all are in memory together, in the order of `views`.
    package func loadAll(_ path: String, views: [ClipView]) async throws -> [LoadedClip] {
        if views.count == 1 { return [try await load(path, views[0])] }
        var clips = [LoadedClip?](repeating: nil, count: views.count)
        try await load(path, views: views) { clips[$0] = $1 }
        return clips.compactMap(\.self)
    }

    private func loadVideo(_ path: String, _ views: [ClipView], _ body: (Int, LoadedClip) async throws -> Void) async throws {
        var left = Array(views.enumerated())
        var assembly: ClipAssembly?
        let clip = ClipPath(path)
        try await decoder.decode(path, [frameSize(path)]) { video in
            // A view that was delivered does not depend on the rest of the file.
            let now = try ClipAssembly(self, left, of: ClipFrames(clip, of: video.times), element: .uint8, path: path)
            assembly = now
            return VideoDecoder.Choice([now.indices])
        } consume: { _, _, frame in
            guard let assembly else { return }
            assembly.append(frame)
            for number in assembly.takeFinished() {
                let view = assembly.view(number)
                left.removeAll { $0.offset == view }
                try await body(view, assembly.clip(number))
            }
        }
        guard let assembly else { return }
        for number in assembly.takeRest() { try await body(assembly.view(number), assembly.clip(number)) }
    }

    func loadVideo(_ path: String, _ view: ClipView) async throws -> LoadedClip {
        var clip: LoadedClip?
        try await loadVideo(path, [view]) { clip = $1 }
        guard let clip else { throw VidclassError.file(path, "no frame could be decoded") }
        return clip
    }
}

/// Assembles the clips of several views from the frames of a file, which arrive once, in order. A frame is in memory once, however many
/// clips contain it, and only until the last of them is made.
final class ClipAssembly {
    /// The wanted frames, by their numbers in the file, ascending, each once.
    let indices: [Int]

    private struct UnfinishedClip {
        let view: Int
        let sampled: SampledFrames
        var count = 0

        var isFull: Bool { count == sampled.indices.count }
    }

    private var unfinished: [UnfinishedClip] = []
    /// For each of `indices`, the clips that contain it.
    private let users: [[Int]]
    /// The frames that are in memory, by their numbers, and how many clips are still to be made of each.
    private var held: [Int: (frame: [UInt8], uses: Int)] = [:]
    private var next = 0
    /// Clips that are full and wait for delivery.
    private var full: [Int] = []
    private let shape: ClipShape
    private let element: ClipElement

    init(
        _ loader: ClipLoader, _ views: [(offset: Int, element: ClipView)], of frames: ClipFrames, element: ClipElement, path: String
    ) throws {
        shape = ClipShape(frames: 1, channels: loader.channels, rows: loader.rows, columns: loader.columns)
        self.element = element
        var wanted: [Int: [Int]] = [:]
        for (offset, view) in views {
            let sampled = try loader.sample(view, of: frames, path: path)
            for index in sampled.indices { wanted[index, default: []].append(unfinished.count) }
            unfinished.append(UnfinishedClip(view: offset, sampled: sampled))
        }
        indices = wanted.keys.sorted()
        users = indices.map { wanted[$0] ?? [] }
        // Clips that are delivered at the end may stay in memory together; of the others there is one at a time.
        let atEnd = unfinished.count { $0.sampled.sufficientFrames == nil }
        let clips = Size.product(max(1, atEnd), unfinished.map(\.sampled.indices.count).max() ?? 0)
        try MemoryBudget.checkLoading(Size.product(Size.sum([mostHeld(), clips]), shape.count, element.size), of: path)
    }

    /// The most frames that are in memory at a time.
    private func mostHeld() -> Int {
        // The place in `indices` with which each clip is delivered.
        let deliveries = unfinished.map { clip in
            let needed = max(clip.sampled.sufficientFrames ?? .max, (clip.sampled.indices.last ?? 0) + 1)
            return indices.firstIndex(inSorted: { $0 + 1 >= needed })
        }
        var releases = [Int](repeating: 0, count: indices.count + 1)
        for users in users { releases[users.map { deliveries[$0] }.max() ?? 0] += 1 }
        var (count, most) = (0, 0)
        for place in indices.indices {
            count += 1
            most = max(most, count)
            count -= releases[place]
        }
        return most
    }

    /// Appends the frame at the next of `indices`.
    func append(_ frame: UnsafeRawBufferPointer) {
        held[indices[next]] = (Array(frame), users[next].count)
        for user in users[next] {
            unfinished[user].count += 1
            if unfinished[user].isFull { full.append(user) }
        }
        next += 1
    }

    /// The numbers of the complete clips that do not depend on the rest of the file, in the order in which they were completed.
    func takeFinished() -> [Int] {
        guard next > 0, !full.isEmpty else { return [] }
        let framesPassed = indices[next - 1] + 1
        let isReady = { (clip: Int) in self.unfinished[clip].sampled.sufficientFrames.map { $0 <= framesPassed } == true }
        let ready = full.filter(isReady)
        guard !ready.isEmpty else { return [] }
        full.removeAll(where: isReady)
        return ready
    }

    /// The numbers of the remaining clips, when all frames have passed.
    func takeRest() -> [Int] {
        defer { full = [] }
        return full.sorted()
    }

    /// The place of clip `number` in the views.
    func view(_ number: Int) -> Int { unfinished[number].view }

    /// Makes clip `number`, once. Clips are made one at a time, because all windows of a pause are complete at once.
    func clip(_ number: Int) -> LoadedClip {
        let sampled = unfinished[number].sampled
        var shape = shape
        shape.frames = sampled.indices.count
        let pixels: Clip.Pixels
        switch element {
        case .uint8:
            pixels = .bytes(
                [UInt8](unsafeUninitializedCapacity: shape.count) { gather(sampled.indices, UnsafeMutableRawBufferPointer($0), &$1) })
        case .float32:
            pixels = .floats(
                [Float](unsafeUninitializedCapacity: shape.count) { gather(sampled.indices, UnsafeMutableRawBufferPointer($0), &$1) })
        }
        return sampled.clip(of: Clip(shape: shape, pixels: pixels))
    }

    /// Copies the frames at `indices` into `target`, counts the values, and gives up the frames that no other clip contains.
    private func gather(_ indices: [Int], _ target: UnsafeMutableRawBufferPointer, _ count: inout Int) {
        let size = shape.count * element.size
        for (place, index) in indices.enumerated() {
            guard let (frame, uses) = held[index] else { preconditionFailure("frame \(index) is not in memory") }
            UnsafeMutableRawBufferPointer(rebasing: target[place * size..<(place + 1) * size]).copyBytes(from: frame)
            held[index] = uses > 1 ? (frame, uses - 1) : nil
        }
        count = indices.count * shape.count
    }
}
