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
        case .array(let file):
            let assembly = try ClipAssembly(
                self, Array(views.enumerated()), of: file.shape.frames, rate: Double(file.framesPerSecond), element: file.element,
                path: path)
            try await file.stream(frames: assembly.indices) {
                assembly.append($0)
            } deliver: {
                for (view, clip) in assembly.takeFinished() { try await body(view, clip) }
            }
            for (view, clip) in assembly.takeRest() { try await body(view, clip) }
        case .video: try await loadVideo(path, views, body)
        case .sound:
            let whole = try await sounds.clip(path)
            for (place, view) in views.enumerated() { try await body(place, try sample(view, of: whole, path: path)) }
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
        let decoder = try await decoder(path)
        var left = Array(views.enumerated())
        var isExact = false
        while true {
            let plan = try await decoder.plan(path, ViewsRule(loader: self, views: left.map(\.element)), exactly: isExact)
            let assembly = try ClipAssembly(
                self, left, of: plan.video.frames, rate: plan.video.framesPerSecond, element: .uint8, path: path)
            var delivered: Set<Int> = []
            let count = try await decoder.run(path, plan) {
                assembly.append($0)
            } deliver: {
                for (view, clip) in assembly.takeFinished() {
                    delivered.insert(view)
                    try await body(view, clip)
                }
            }
            if count == plan.indices.count {
                for (view, clip) in assembly.takeRest() { try await body(view, clip) }
                return
            }
            guard !isExact else { throw VideoDecoder.damaged(path, plan, found: count) }
            // There are fewer frames than packets: plan the remaining views again, with frames counted by decoding.
            left.removeAll { delivered.contains($0.offset) }
            isExact = true
        }
    }
}

/// Assembles the clips of several views from the frames of a file, which arrive once, in order.
private final class ClipAssembly {
    /// The wanted frames, ascending, each once.
    let indices: [Int]

    private struct UnfinishedClip {
        let view: Int
        let sampled: SampledFrames
        var values: [UInt8] = []
        var count = 0

        var isFull: Bool { count == sampled.indices.count }
    }

    private var unfinished: [UnfinishedClip] = []
    /// For each of `indices`, the clips that contain it.
    private var users: [[Int]]
    private var next = 0
    /// Clips that are full and wait for delivery.
    private var full: [Int] = []
    private let shape: ClipShape
    private let element: ClipElement

    init(
        _ loader: ClipLoader, _ views: [(offset: Int, element: ClipView)], of count: Int, rate: Double, element: ClipElement, path: String
    ) throws {
        shape = ClipShape(frames: 1, channels: loader.channels, rows: loader.rows, columns: loader.columns)
        self.element = element
        var wanted: [Int: [Int]] = [:]
        for (offset, view) in views {
            let sampled = try loader.sample(view, of: count, rate: rate, path: path)
            for index in sampled.indices { wanted[index, default: []].append(unfinished.count) }
            unfinished.append(UnfinishedClip(view: offset, sampled: sampled))
        }
        // Its frames as they arrive, and as a clip.
        let frames = unfinished.reduce(0) { $0 + $1.sampled.indices.count }
        try MemoryBudget.checkLoading(Size.product(2, frames, shape.count, element.size), of: path)
        indices = wanted.keys.sorted()
        users = indices.map { wanted[$0] ?? [] }
    }

    /// Appends the frame at the next of `indices`.
    func append(_ frame: UnsafeRawBufferPointer) {
        for user in users[next] {
            unfinished[user].values.append(contentsOf: frame)
            unfinished[user].count += 1
            if unfinished[user].isFull { full.append(user) }
        }
        next += 1
    }

    /// The complete clips that do not depend on the rest of the file, in the order in which they were completed.
    func takeFinished() -> [(view: Int, clip: LoadedClip)] {
        guard next > 0, !full.isEmpty else { return [] }
        let framesPassed = indices[next - 1] + 1
        let isReady = { (clip: Int) in self.unfinished[clip].sampled.sufficientFrames.map { $0 <= framesPassed } == true }
        let ready = full.filter(isReady)
        guard !ready.isEmpty else { return [] }
        full.removeAll(where: isReady)
        return ready.map(take)
    }

    /// The remaining clips, when all frames have passed.
    func takeRest() -> [(view: Int, clip: LoadedClip)] {
        let rest = full.sorted()
        full = []
        return rest.map(take)
    }

    private func take(_ number: Int) -> (view: Int, clip: LoadedClip) {
        let (view, sampled, values) = (unfinished[number].view, unfinished[number].sampled, unfinished[number].values)
        unfinished[number].values = []
        var shape = shape
        shape.frames = sampled.indices.count
        let pixels: Clip.Pixels
        switch element {
        case .uint8: pixels = .bytes(values)
        case .float32:
            pixels = .floats(
                [Float](unsafeUninitializedCapacity: shape.count) { target, count in
                    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
                    count = shape.count
                })
        }
        return (view, sampled.clip(of: Clip(shape: shape, pixels: pixels)))
    }
}
