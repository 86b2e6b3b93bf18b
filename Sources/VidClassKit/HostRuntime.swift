internal import VidCheckpoint
internal import VidRun
internal import VidSystem
internal import VidTensor

extension Workers {
    /// The computing threads of a call, with the memory that OpenBLAS takes for them.
    ///
    /// - Throws: ``VidClassError`` with `.usage` for an impossible number, `.other` if memory runs out.
    static func ofHost(_ threads: Int?) throws -> Workers {
        if let threads, !(1...1024).contains(threads) {
            throw VidClassError(.usage, "threads: expected a number from 1 to 1024, found \(threads)")
        }
        return try VidClassError.translating {
            let workers = Workers(count: threads ?? Workers.processorCount)
            try BLAS.reserve(threads: workers.count)
            try ProcessLimits.requireMemory()
            return workers
        }
    }
}

extension Runtime {
    /// The runtime of work in a host program.
    init(threads: Int?, usesCache: Bool, observe: @escaping @Sendable (RunEvent) throws -> Void) throws {
        ReaderProgram.register()
        self.init(
            version: Version.number, command: [], weights: WeightsLibrary(hdf5: .inReader()), workers: try .ofHost(threads),
            cache: usesCache ? try FeatureFolder { try? observe(.note($0)) } : nil, observe: observe)
    }
}
