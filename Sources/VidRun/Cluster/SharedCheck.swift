import Synchronization
import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidSystem
import VidTensor

/// Facts about clips that other ranks have found, in front of this machine's cache.
final class CollectedFacts: ClipCache {
    private struct Key: Hashable {
        let path: String
        let variant: String
    }

    private let cache: (any ClipCache)?
    private let collected = Mutex<[Key: ClipFacts]>([:])

    init(_ cache: (any ClipCache)?) { self.cache = cache }

    func collect(_ facts: ClipFacts, of path: String, variant: String) {
        collected.withLock { $0[Key(path: path, variant: variant)] = facts }
    }

    func facts(of path: String, variant: String) -> ClipFacts? {
        collected.withLock { $0.isEmpty ? nil : $0[Key(path: path, variant: variant)] } ?? cache?.facts(of: path, variant: variant)
    }

    func facts(of clips: [CachedClip]) -> [ClipFacts?] {
        guard let cache, collected.withLock({ $0.isEmpty }) else { return clips.map { facts(of: $0.path, variant: $0.variant) } }
        return cache.facts(of: clips)
    }

    func remember(_ facts: ClipFacts, of path: String, variant: String) { cache?.remember(facts, of: path, variant: variant) }

    func save() { cache?.save() }
}

extension Runtime {
    /// Has the ranks share out the reading of all clips whose facts are not in rank 0's cache. A clip that a rank finds bad is left to
    /// rank 0, whose report says why.
    func collect(
        _ facts: CollectedFacts, _ check: DataCheck, _ data: DataSet, _ configuration: RunConfiguration, isThorough: Bool
    ) async throws {
        guard cluster.isShared else { return }
        let unknown = data.entries.filter { !check.isKnown($0) }
        guard !unknown.isEmpty else { return }
        let order = CheckOrder(config: configuration.text, isThorough: isThorough, paths: unknown.map(\.path))
        try await ClusterOrder.check(order).send(to: cluster)
        var progress = DataCheck.Progress(total: unknown.count)
        try await check.share(unknown, in: cluster) { place, found in
            progress.done += 1
            try observe(.checking(progress))
            if let found { facts.collect(found, of: unknown[place].path, variant: check.variant(of: unknown[place].path)) }
        }
    }
}

extension CheckOrder {
    /// Takes part in a check that rank 0 has ordered.
    func work(_ runtime: Runtime) async throws {
        let configuration = try RunConfiguration(json: config, source: "rank 0's configuration")
        let check = DataCheck(loader: ClipLoader(configuration), clipCache: runtime.cache, isThorough: isThorough)
        let entries = paths.map { DataSet.Entry(path: $0, id: $0, label: 0, split: .train) }
        try await check.share(entries, in: runtime.cluster) { _, _ in }
    }
}

extension DataCheck {
    /// Reads clips, each on one of the ranks, as many at a time as a rank has processors.
    ///
    /// - Parameter finished: receives the place of a clip and its facts, or nil for one that is bad; on rank 0 alone.
    fileprivate func share(
        _ entries: [DataSet.Entry], in cluster: any Cluster, finished: (Int, ClipFacts?) throws -> Void
    ) async throws {
        var reading: [Int: Task<ClipFacts?, Never>] = [:]
        defer { save() }
        try await WorkShare.run(in: cluster, ahead: Workers.processorCount + 1) {
            Array(entries.indices)
        } upcoming: { items in
            for item in items where reading[item] == nil {
                let entry = entries[item]
                reading[item] = Task { try? await examine(entry.path, in: entry.split) }
            }
        } work: { item in
            let found = await reading.removeValue(forKey: item)?.value
            return found.map { [UInt8]($0.encoded) } ?? []
        } finished: { item, bytes in
            try finished(item, bytes.isEmpty ? nil : ClipFacts(encoded: bytes))
        }
    }
}
