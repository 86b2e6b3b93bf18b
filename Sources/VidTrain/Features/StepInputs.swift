import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

/// The inputs of the trained part of the network, for the clips of one split: features or maps behind frozen layers, or frames
/// where no layer is frozen.
///
/// Frozen layers run once on each sample, before training, and their outputs stay in memory. Where they do not fit, `gather`
/// takes them from the cache or runs the layers again; where each sample is new, it always runs them.
package final class StepInputs {
    package let clips: LabelledClips
    package let plan: SamplePlan
    private let predictor: Predictor
    let frozen: FrozenLayers?
    let store: FeatureStore?

    /// Inputs for `predictor`, or for a training step that shares its memory.
    package convenience init(_ clips: LabelledClips, _ plan: SamplePlan, in predictor: Predictor, features: FeatureStorage) throws {
        try self.init(
            clips, plan, in: predictor, frozen: FrozenLayers(predictor, cache: features.cache), keepsInMemory: features.keepsInMemory)
    }

    /// - Parameters:
    ///   - frozen: the predictor's frozen layers, which the inputs of several splits may share.
    ///   - keepsInMemory: whether their outputs are kept in memory.
    init(_ clips: LabelledClips, _ plan: SamplePlan, in predictor: Predictor, frozen: FrozenLayers?, keepsInMemory: Bool) throws {
        self.clips = clips
        self.plan = plan
        self.predictor = predictor
        self.frozen = frozen
        let classifier = predictor.classifier
        if frozen != nil, keepsInMemory, let perClip = plan.perClip {
            store = try FeatureStore(samples: clips.count * perClip, steps: classifier.frames, shape: classifier.trainedInputShape)
        } else {
            store = nil
        }
    }

    /// Whether `prepare` must run before `gather`.
    package var needsPreparing: Bool { store != nil }

    /// Samples that `prepare` encodes.
    package var count: Int { clips.count * (plan.perClip ?? 0) }

    /// Sample `item` of those that are the same each time, counted clip by clip.
    package func sample(item: Int) -> Sample {
        let perClip = plan.perClip ?? 1
        let clip = item / perClip
        return Sample(clip: clip, view: plan.view(item % perClip, of: clips.names[clip]))
    }

    /// The sample of a clip at a position of a training epoch's order.
    package func sample(clip: Int, epoch: Int, position: Int) -> Sample {
        Sample(clip: clip, view: plan.view(of: clips.names[clip], epoch: epoch, position: position))
    }

    /// Fills the memory for the outputs of frozen layers, if there is one: first from the cache, then by running the layers. The ranks
    /// of a cluster share out what rank 0 does not find in its cache.
    ///
    /// - Parameters:
    ///   - everywhere: whether all ranks need the outputs; otherwise only rank 0 has them.
    ///   - progress: called on rank 0 after each sample, with whether it came from the cache; throws to stop.
    /// - Throws: `WorkShare.Stopped` on the other ranks after a stop.
    package func prepare(
        in cluster: any Cluster = Alone(), everywhere: Bool = true, _ progress: (_ isRecalled: Bool) throws -> Void
    ) async throws {
        guard let store, let frozen else { return }
        defer { frozen.save() }
        try await WorkShare.run(in: cluster, ahead: cluster.isShared ? WorkShare.ahead : ClipSource.ahead) {
            let missing = try recall(0..<count, into: store, sample: sample(item:)) { try progress(true) }
            return cluster.isShared ? clips.source.longestFirst(missing) { sample(item: $0).clip } : missing
        } upcoming: { items in
            await clips.source.prefetch(items.map(sample(item:)))
        } next: { items in
            items[await clips.source.next(of: items.map(sample(item:)))]
        } work: { item in
            let (validFrames, isRecalled) = try await frozen.run(clips, sample(item: item), into: store.output(item))
            store.setValidFrames(validFrames, of: item)
            return [isRecalled ? 1 : 0] + (cluster.isLeader ? [] : store.bytes(of: item))
        } finished: { item, bytes in
            if bytes.count > 1 { store.set(item, bytes.dropFirst()) }
            try progress(bytes[0] == 1)
        }
        await clips.source.clear()
        if everywhere { try await store.share(in: cluster) }
    }

    /// Fills the rows of `features`, one for each of the numbers, with what the cache has of their samples.
    ///
    /// - Parameter recalled: called after each that it has.
    /// - Returns: the numbers of the other samples.
    func recall(
        _ numbers: Range<Int>, into features: FeatureStore, sample: (Int) -> Sample, recalled: () throws -> Void
    ) rethrows -> [Int] {
        guard let frozen else { return Array(numbers) }
        return try numbers.filter { number in
            let row = number - numbers.lowerBound
            guard let validFrames = frozen.recall(clips, sample(number), into: features.output(row)) else { return true }
            features.setValidFrames(validFrames, of: row)
            try recalled()
            return false
        }
    }

    /// The features (T, F) that the cache has of sample `item`; nil if it has none, or if layers behind the frozen ones are trained.
    ///
    /// - Throws: `.other` if memory runs out.
    package func recalled(item: Int) throws -> Buffer? {
        let classifier = predictor.classifier
        guard let frozen, classifier.trained == nil else { return nil }
        let features = try Buffer(allocating: Size.product(classifier.frames, classifier.features), isZeroed: false)
        let output = features.tensor([classifier.frames, classifier.features])
        return frozen.recall(clips, sample(item: item), into: output) == nil ? nil : features
    }

    /// Starts to load what `gather` will need of samples: no clips whose features are in memory or in the cache.
    func prefetch(_ samples: [Sample]) async {
        guard store == nil else { return }
        let isRepeated = plan.perClip != nil
        await clips.source.prefetch(samples.filter { sample in !isRepeated || frozen.map { !$0.isKnown(clips, sample) } ?? true })
    }

    /// The place of the sample for which `gather` need not wait, or has to wait least.
    func next(of samples: [Sample]) async -> Int { store == nil ? await clips.source.next(of: samples) : 0 }

    /// Makes the known contents of clips available to later runs.
    func save() { frozen?.save() }

    /// Writes the inputs of `samples` into `batch` (B x T, ...) and returns how many frames of each are not padding; starts
    /// loading what `next` needs.
    package func gather(_ samples: [Sample], next: [Sample], into batch: Tensor) async throws -> [Int] {
        if let store {
            let items = samples.map(item)
            store.gather(items, into: batch)
            return items.map { store.validFrames[$0] }
        }
        guard let frozen else {
            let loaded = try await clips.source.clips(samples)
            await prefetch(next)
            predictor.convert(loaded, into: batch)
            return loaded.map(\.validFrames)
        }
        // The source holds a prefetched clip until it is taken: prefetch only what `run` will take.
        let frames = predictor.classifier.frames
        let outputs = samples.indices.map { batch.rows($0 * frames..<($0 + 1) * frames) }
        let isRepeated = plan.perClip != nil
        var validFrames = zip(samples, outputs).map { isRepeated ? frozen.recall(clips, $0, into: $1) : nil }
        await clips.source.prefetch(zip(samples, validFrames).compactMap { $1 == nil ? $0 : nil })
        for (place, sample) in samples.enumerated() where validFrames[place] == nil {
            validFrames[place] = try await frozen.run(clips, sample, into: outputs[place], usesCache: isRepeated).validFrames
        }
        await prefetch(next)
        return validFrames.compactMap(\.self)
    }

    /// The place of a sample's output in the store.
    private func item(_ sample: Sample) -> Int {
        let perClip = plan.perClip ?? 1
        let name = clips.names[sample.clip]
        guard let number = (0..<perClip).first(where: { plan.view($0, of: name) == sample.view }) else {
            preconditionFailure("\(sample) is none of the \(perClip) samples of a clip")
        }
        return sample.clip * perClip + number
    }
}

/// The outputs of frozen layers in memory, (samples, T, ...).
package final class FeatureStore {
    let steps: Int
    /// One frame's output.
    let shape: Shape
    private let buffer: Buffer
    /// Frames of each sample that are not padding.
    private(set) var validFrames: [Int]

    /// - Throws: `.other` if memory runs out.
    init(samples: Int, steps: Int, shape: Shape) throws {
        self.steps = steps
        self.shape = shape
        buffer = try Buffer(allocating: Size.product(samples, steps, shape.count), isZeroed: false)
        validFrames = [Int](repeating: steps, count: samples)
    }

    /// Outputs in the memory of `rows` (samples x T, ...), which must outlive this.
    init(in rows: Tensor, steps: Int) {
        self.steps = steps
        shape = rows.shape.dropFirst
        buffer = Buffer(borrowing: rows)
        validFrames = [Int](repeating: steps, count: rows.shape[0] / steps)
    }

    /// Bytes for the outputs of `clips` samples; floating-point, because a configuration may ask for more than `Int` holds.
    package static func bytes(clips: Int, steps: Int, shape: Shape) -> Double {
        Double(clips) * Double(steps) * Double(shape.count) * Double(MemoryLayout<Float>.stride)
    }

    /// One sample's output (T, ...).
    func output(_ index: Int) -> Tensor { buffer.tensor(shape.prepending(steps), offset: index * steps * shape.count) }

    /// The outputs (samples x T, ...) of some samples.
    func outputs(_ samples: Range<Int>) -> Tensor {
        buffer.tensor(shape.prepending(samples.count * steps), offset: samples.lowerBound * steps * shape.count)
    }

    func setValidFrames(_ count: Int, of index: Int) { validFrames[index] = count }

    /// A sample's output and its valid frames, for another process.
    func bytes(of index: Int) -> [UInt8] {
        let own = output(index)
        return withUnsafeBytes(of: Int64(validFrames[index])) { Array($0) }
            + UnsafeRawBufferPointer(start: own.base, count: own.count * MemoryLayout<Float>.stride)
    }

    /// Takes what `bytes(of:)` has given in another process.
    func set(_ index: Int, _ bytes: some Collection<UInt8>) {
        let own = output(index)
        precondition(bytes.count == 8 + own.count * MemoryLayout<Float>.stride, "\(bytes.count) bytes for an output of \(own.shape)")
        Array(bytes).withUnsafeBytes {
            validFrames[index] = Int($0.loadUnaligned(as: Int64.self))
            UnsafeMutableRawPointer(own.base).copyMemory(from: $0.baseAddress! + 8, byteCount: $0.count - 8)
        }
    }

    /// Gives rank 0's outputs to all ranks.
    func share(in cluster: any Cluster) async throws {
        guard cluster.isShared else { return }
        try await cluster.broadcast(Memory(buffer.base, floats: buffer.count))
        validFrames = try await cluster.broadcast(validFrames)
    }

    /// Copies the outputs of the samples at `indices` into `batch` (B x T, ...).
    func gather(_ indices: [Int], into batch: Tensor) {
        let count = steps * shape.count
        precondition(batch.count == indices.count * count, "\(indices.count) samples into \(batch.shape)")
        var target = batch.base
        for index in indices {
            target.update(from: output(index).base, count: count)
            target += count
        }
    }
}
