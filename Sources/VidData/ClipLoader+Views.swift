import VidTensor

extension ClipLoader {
    /// Loads several views of the clip at `path` in one passage over its frames, and hands each to `body` with its place in
    /// `views`, once.
    ///
    /// A window is handed out as soon as its last frame has gone by, so that memory holds the windows under way and no more;
    /// other views depend on the number of frames, which is certain at the end only, and wait for it. Decoding waits while
    /// `body` works. An error found later in the file (a video that is damaged there, a checksum) is thrown after windows before it
    /// have been handed out.
    package func load(_ path: String, views: [ClipView], _ body: (_ view: Int, LoadedClip) async throws -> Void) async throws {
        guard !views.isEmpty else { return }
        switch try source(path) {
        case .array(let file):
            try check(file)
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
            for (place, view) in views.enumerated() { try await body(place, try take(view, of: whole, path: path)) }
        }
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
            // Fewer frames than packets: the views that are left are planned anew on frames counted by decoding.
            left.removeAll { delivered.contains($0.offset) }
            isExact = true
        }
    }
}

/// Puts the clips of several views together from the frames of a file, which come once, in order.
private final class ClipAssembly {
    /// The frames wanted, rising, each once.
    let indices: [Int]

    private struct Part {
        let view: Int
        let sampled: SampledFrames
        var values: [UInt8] = []
        var count = 0

        var isFull: Bool { count == sampled.indices.count }
    }

    private var parts: [Part] = []
    /// For each of `indices`, the parts that want it.
    private var users: [[Int]]
    private var next = 0
    /// Parts that are full and wait to be taken.
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
            for index in sampled.indices { wanted[index, default: []].append(parts.count) }
            parts.append(Part(view: offset, sampled: sampled))
        }
        indices = wanted.keys.sorted()
        users = indices.map { wanted[$0] ?? [] }
    }

    /// Takes the next of `indices`.
    func append(_ frame: UnsafeRawBufferPointer) {
        for user in users[next] {
            parts[user].values.append(contentsOf: frame)
            parts[user].count += 1
            if parts[user].isFull { full.append(user) }
        }
        next += 1
    }

    /// The clips that are complete and do not depend on what follows, by their views' order of becoming so.
    func takeFinished() -> [(view: Int, clip: LoadedClip)] {
        guard next > 0, !full.isEmpty else { return [] }
        let framesSeen = indices[next - 1] + 1
        let isReady = { (part: Int) in self.parts[part].sampled.sufficientFrames.map { $0 <= framesSeen } == true }
        let ready = full.filter(isReady)
        guard !ready.isEmpty else { return [] }
        full.removeAll(where: isReady)
        return ready.map(take)
    }

    /// What is left when all frames have come.
    func takeRest() -> [(view: Int, clip: LoadedClip)] {
        let rest = full.sorted()
        full = []
        return rest.map(take)
    }

    private func take(_ part: Int) -> (view: Int, clip: LoadedClip) {
        let values = parts[part].values
        parts[part].values = []
        var shape = shape
        shape.frames = parts[part].sampled.indices.count
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
        return (parts[part].view, parts[part].sampled.clip(of: Clip(shape: shape, pixels: pixels)))
    }
}
