import VidConfig
import VidModel
import VidSystem
import VidTensor

/// Reads a network's weights from a PyTorch state dict saved as safetensors, under any of the names of `NetworkNaming`.
///
/// Kernels (filters, channels, rows, columns) become (rows, columns, channels, filters), those of depthwise convolutions (channels, 1,
/// rows, columns) become (rows, columns, channels). Half, bfloat16 and double precision are converted.
enum StateDictWeights {
    /// A network whose tensors the file may have.
    fileprivate struct Candidate {
        let architecture: NamedArchitecture
        let naming: NetworkNaming
        /// Our tensors and the names of theirs.
        let pairs: NetworkNaming.Pairs
        /// How many of them the file has in the network's shape.
        let found: Int
        /// The file's tensors that are neither these nor of a classifier.
        let unknown: [String]
    }

    /// The weights of the network whose tensors the file has; nil if it has those of none that has a `NetworkNaming`.
    static func read(_ file: SafetensorsFile) throws -> ImportedWeights? {
        // The most tensors in common; among networks that are parts of others, the one that leaves nothing over.
        let all = candidates(file)
        guard let best = all.max(by: { (-$0.missing - $0.unknown.count) < (-$1.missing - $1.unknown.count) }) else {
            return nil
        }
        try check(best, file)
        let theirs = Dictionary(uniqueKeysWithValues: best.pairs.map { ($0.own.name, $0.theirs) })
        let ignored = Set(file.entries.map(\.name).filter(isClassifier).map { String($0.prefix { $0 != "." }) })
        var weights = try ImportedWeights(
            source: file.path, sha256: file.file.sha256(), preprocessing: best.naming.preprocessing(best.architecture),
            ignored: ignored.sorted(), architecture: .named(best.architecture)
        ) { name, tensor in
            guard let entry = theirs[name].flatMap(file.entry) else { return }
            if tensor.shape.rank == 1 { try file.read(entry, into: tensor) } else { try readKernel(entry, of: file, into: tensor) }
        }
        weights.alternatives = all.filter { $0.missing == 0 && $0.unknown.isEmpty && $0.architecture != best.architecture }.map {
            ($0.architecture, $0.naming.preprocessing($0.architecture))
        }
        return weights
    }

    private static func candidates(_ file: SafetensorsFile) -> [Candidate] {
        let names = Set(file.entries.map(\.name))
        let shapes = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0.shape) })
        var candidates: [Candidate] = []
        for (naming, architecture, pairs) in NetworkNaming.tables where 2 * names.count >= pairs.count {
            let named = pairs.filter { names.contains($0.theirs) }
            guard 2 * named.count >= pairs.count else { continue }
            let found = named.reduce(0) { $0 + (shapes[$1.theirs] == torchShape($1.own.shape) ? 1 : 0) }
            let known = Set(pairs.map(\.theirs))
            let unknown = names.filter { !known.contains($0) && !isClassifier($0) && !$0.hasSuffix(".num_batches_tracked") }
            candidates.append(
                Candidate(architecture: architecture, naming: naming, pairs: pairs, found: found, unknown: unknown.sorted()))
        }
        return candidates
    }

    /// Whether a tensor belongs to the layers behind the CNN.
    private static func isClassifier(_ name: String) -> Bool {
        ["classifier.", "fc.", "_fc.", "head."].contains { name.hasPrefix($0) }
    }

    /// Throws the first differences between the file's tensors and those of the network, by name.
    private static func check(_ candidate: Candidate, _ file: SafetensorsFile) throws {
        var differences: [String] = []
        for (own, theirs) in candidate.pairs {
            guard let entry = file.entry(named: theirs) else {
                differences.append("\(theirs) is missing")
                continue
            }
            let expected = torchShape(own.shape)
            if entry.shape != expected {
                differences.append("\(theirs) is \(entry.shapeText), expected \(SafetensorsEntry.text(expected))")
            }
        }
        differences += candidate.unknown.map { "\($0) is not part of it" }
        guard differences.isEmpty else {
            let more = differences.count > 4 ? "; and \(differences.count - 4) more" : ""
            throw VidclassError.file(
                file.path,
                "its tensors are most like those of \(candidate.architecture.rawValue), but \(differences.prefix(4).joined(separator: "; "))\(more)"
            )
        }
    }

    private static func torchShape(_ shape: Shape) -> [Int] {
        switch shape.rank {
        case 4: [shape[3], shape[2], shape[0], shape[1]]
        case 3: [shape[2], 1, shape[0], shape[1]]
        default: shape.dimensions
        }
    }

    /// (filters, channels, rows, columns) to (rows, columns, channels, filters), of which a depthwise kernel has only one channel.
    static func readKernel(_ entry: SafetensorsEntry, of file: SafetensorsFile, into kernel: Tensor) throws {
        let buffer = try Buffer(allocating: entry.count)
        defer { withExtendedLifetime(buffer) {} }
        try file.read(entry, into: buffer.tensor([entry.count]))
        let (filters, channels, area) = (entry.shape[0], entry.shape[1], entry.shape[2] * entry.shape[3])
        for place in 0..<area {
            for channel in 0..<channels {
                for filter in 0..<filters {
                    kernel.base[(place * channels + channel) * filters + filter] = buffer.base[(filter * channels + channel) * area + place]
                }
            }
        }
    }
}

extension StateDictWeights.Candidate {
    fileprivate var missing: Int { pairs.count - found }
}

extension NetworkNaming {
    /// The tensors of a network without `cnn/`, and their names.
    package typealias Pairs = [(own: (name: String, shape: Shape), theirs: String)]

    /// The tensors of every network under every naming. A process reads many files, such as those that `weights list` shows, and laying
    /// all networks out takes longer than reading one.
    fileprivate static let tables: [(naming: NetworkNaming, architecture: NamedArchitecture, pairs: Pairs)] = allCases.flatMap { naming in
        NamedArchitecture.allCases.compactMap { architecture in
            // The layers of a named network fit each other.
            (try? naming.tensors(architecture)).flatMap { $0 }.map { (naming, architecture, $0) }
        }
    }

    /// The tensors of a network; nil if this program has no such network.
    package func tensors(_ architecture: NamedArchitecture) throws -> Pairs? {
        guard let modules = modules(architecture) else { return nil }
        return try ImportedWeights.tensors(of: .named(architecture)).map { own in
            let parts = own.name.split(separator: "/")
            let word =
                switch parts[1] {
                case "kernel", "gamma": "weight"
                case "moving_mean": "running_mean"
                case "moving_variance": "running_var"
                default: "bias"
                }
            return (own, "\(modules[String(parts[0])] ?? "?").\(word)")
        }
    }

    /// The preprocessing of the pixels that weights saved under these names were trained on.
    func preprocessing(_ architecture: NamedArchitecture) -> PreprocessingName {
        switch architecture {
        case .efficientnetLite0, .efficientnetLite1, .efficientnetLite2, .efficientnetLite3, .efficientnetLite4: .symmetric
        default: .torch
        }
    }
}
