import FoundationEssentials
import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The scores of one file as one rank computes them for another.
struct FileScores: Codable, Sendable {
    /// One window, or the whole file.
    struct Window: Codable, Sendable {
        /// In seconds; 0 for a whole file.
        var start = 0.0
        var length = 0.0
        let scores: FloatData
        /// Nil if the model cannot tell.
        let familiarity: Familiarity.Finding?
    }

    var windows: [Window] = []
    /// A remark on odd values of the clip.
    var remark: String?
    var failure: VidclassError?
}

/// Floats whose bits survive a text format.
struct FloatData: Codable, Sendable {
    private let data: Data

    init(_ floats: [Float]) { data = floats.withUnsafeBytes { Data($0) } }

    var floats: [Float] { data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } }
}

/// Seconds of the windows that a long input is scored in.
package struct WindowChoice: Sendable {
    package let length: Double
    /// From one window's start to the next.
    package let stride: Double

    package init(length: Double, stride: Double) { (self.length, self.stride) = (length, stride) }
}

/// Scores files with a model, on one rank.
struct FileScorer {
    var paths: [String]
    let windows: WindowChoice?
    private let saved: SavedModel
    private let predictor: Predictor

    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    init(_ saved: SavedModel, paths: [String], windows: WindowChoice?, workers: Workers) throws {
        self.saved = saved
        self.paths = paths
        self.windows = windows
        predictor = try saved.predictor(
            for: .scores,
            loadedClips: windows != nil
                ? FileScorer.windowsAhead + 2
                : (paths.isEmpty ? ClipSource.ahead : min(paths.count, ClipSource.ahead)) * saved.evaluationViews.count, workers)
    }

    /// Scores all files, each on one of the ranks.
    ///
    /// - Parameters:
    ///   - progress: called as the windows of a file are scored here.
    ///   - finished: receives each file's result, on rank 0 alone.
    func share(
        in cluster: any Cluster, progress: (_ done: Int, _ total: Int) -> Void, finished: (Int, FileScores) throws -> Void
    ) async throws {
        // Files that are being loaded while others are computed.
        let arrivals = Arrivals<Int, [LoadedClip]>()
        defer { arrivals.cancel() }
        var own: [Int: FileScores] = [:]
        try await WorkShare.run(in: cluster, ahead: cluster.isShared ? WorkShare.ahead : ClipSource.ahead) {
            Array(paths.indices)
        } upcoming: { items in
            for item in items where windows == nil {
                let (path, views, loader) = (paths[item], saved.evaluationViews, saved.loader)
                arrivals.load(item) { try await loader.loadAll(path, views: views) }
            }
        } next: { items in
            await arrivals.next(of: items)
        } work: { item in
            var scores = FileScores()
            do {
                if let windows {
                    try await score(item, windows, into: &scores, progress)
                } else {
                    score(try await arrivals.take(item) ?? [], item, into: &scores)
                }
            } catch let error as VidclassError {
                scores.failure = error
            }
            guard cluster.isLeader else { return [UInt8](try JSONEncoder().encode(scores)) }
            own[item] = scores
            return []
        } finished: { item, bytes in
            try finished(item, try own.removeValue(forKey: item) ?? JSONDecoder().decode(FileScores.self, from: Data(bytes)))
        }
    }

    /// Scores a file as a whole.
    private func score(_ clips: [LoadedClip], _ item: Int, into scores: inout FileScores) {
        scores.remark = saved.remark(on: clips, ofFile: paths[item])
        let output = saved.output(of: clips, by: predictor)
        scores.windows = [.init(scores: FloatData(output.scores), familiarity: output.familiarity)]
    }

    /// Scores the clip of a window, with the features of the frames that earlier windows contain.
    func score(_ clip: LoadedClip, _ window: ClipWindow, _ known: FrameFeatures) -> FileScores.Window {
        let output = predictor.output(clip, known)
        return .init(
            start: window.start, length: window.length, scores: FloatData(Scores.softmax(output.logits)),
            familiarity: saved.familiarity?.finding(output.feature))
    }

    /// The features of the frames of a stream's windows: enough to run the CNN once on each frame, however long the stream is.
    func features(for choice: WindowChoice) -> FrameFeatures {
        // Until a frame comes again, at most so many windows come, each with frames that no window before it contains.
        let windows = min((choice.length / choice.stride).rounded(.up) + 1, 1e6)
        let frame = saved.classifier.features * MemoryLayout<Float>.stride
        return FrameFeatures(bytes: min(2 * Size.product(Int(windows), saved.classifier.frames, frame), FrameFeatures.mostBytes))
    }

    /// Memory for the results of all windows of a file, some 600 bytes each besides the scores.
    private static let timelineBytes = 256 << 20
    /// Windows that wait for the network, besides the one that is made and the one that is scored.
    private static let windowsAhead = ClipSource.ahead

    /// Scores windows of a file, or of the part of it that is named, which is decoded once, the next windows while the network computes. The
    /// CNN runs once on each frame, however many windows contain it.
    private func score(
        _ item: Int, _ choice: WindowChoice, into scores: inout FileScores, _ progress: (_ done: Int, _ total: Int) -> Void
    ) async throws {
        let path = paths[item]
        let frames = try await saved.loader.clipFrames(of: path)
        let times = frames.times
        let bytes = 600 + 4 * saved.classifier.classes.count
        let plan = try times.windows(
            length: choice.length, stride: choice.stride, most: min(FrameTimes.mostWindows, FileScorer.timelineBytes / bytes), path: path)
        let seconds = times.ended.duration ?? 0
        var found = [FileScores.Window?](repeating: nil, count: plan.count)
        var done = 0
        let known = FrameFeatures()
        let (loader, views, clips) = (
            saved.loader, plan.map(\.view), Handover<(place: Int, clip: LoadedClip)>(room: FileScorer.windowsAhead)
        )
        defer { clips.end() }
        async let loading: Void = {
            defer { clips.end() }
            try await loader.load(path, views: views) { try await clips.give(($0, $1)) }
        }()
        while let (place, clip) = await clips.next() {
            let window = plan[place]
            // The last window may extend past the end. Windows of a part of a file are told by the times of the whole.
            found[place] = score(
                clip, ClipWindow(start: (frames.start ?? 0) + window.start, length: min(window.length, seconds - window.start)), known)
            done += 1
            progress(done, plan.count)
        }
        try await loading
        scores.windows = found.compactMap(\.self)
    }
}

extension PredictOrder {
    /// Has the other ranks take part in a prediction that comes now.
    static func send(_ saved: SavedModel, _ scorer: FileScorer, to cluster: any Cluster) async throws {
        guard cluster.isShared else { return }
        let order = PredictOrder(
            model: ModelOrder(frameFolderRate: saved.configuration.data.frameFolderRate), paths: scorer.paths,
            window: scorer.windows?.length, stride: scorer.windows?.stride)
        try await ClusterOrder.predict(order).send(to: cluster)
        try await ModelOrder.send(saved.path, to: cluster)
    }

    /// Takes part in a prediction that rank 0 has ordered.
    func work(_ runtime: Runtime) async throws {
        let saved = try await model.receive(from: runtime.cluster)
        let windows = window.map { WindowChoice(length: $0, stride: stride ?? $0) }
        let scorer = try FileScorer(saved, paths: paths, windows: windows, workers: runtime.workers)
        do {
            try await scorer.share(in: runtime.cluster, progress: { _, _ in }, finished: { _, _ in })
        } catch is WorkShare.Stopped {}
    }
}
