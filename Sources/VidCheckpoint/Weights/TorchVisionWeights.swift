import VidConfig
import VidSystem
import VidTensor

/// Reads a VGG's weights from a torchvision state dict saved as safetensors.
///
/// `features.<index>.weight` is (filters, channels, rows, columns); the index counts all modules, so two neighbouring
/// convolutions are two apart within a block (a ReLU between them) and three apart across blocks (a ReLU and a pooling).
/// `classifier.*` is ignored. Half, bfloat16 and double precision are converted.
package enum TorchVisionWeights {
    /// Whether the names in `file` are those of torchvision's VGGs.
    static func matches(_ file: SafetensorsFile) -> Bool { file.entry(named: "features.0.weight") != nil }

    static func read(_ file: SafetensorsFile) throws -> ImportedWeights {
        let modules = try modules(file)
        let convolutions = try places(modules.map(\.index), file.path)
        let sources = zip(convolutions, modules).map { place, module in
            let kernel = module.weight.shape
            let isKernel = kernel.count == 4
            return ConvolutionSource(
                block: place.block, number: place.number, kernel: isKernel ? [kernel[2], kernel[3], kernel[1], kernel[0]] : kernel,
                bias: module.bias.shape)
        }
        let ignored = Set(file.entries.filter { $0.name.hasPrefix("classifier.") }.map { String($0.name.prefix { $0 != "." }) })
        return try ImportedWeights(
            source: file.path, sha256: file.file.sha256(), preprocessing: .torch, ignored: ignored.sorted(), convolutions: sources
        ) { index, kernel, bias in
            try StateDictWeights.readKernel(modules[index].weight, of: file, into: kernel)
            try file.read(modules[index].bias, into: bias)
        }
    }

    private struct Module {
        let index: Int
        let weight: SafetensorsEntry
        let bias: SafetensorsEntry
    }

    /// The convolutions, sorted by index.
    private static func modules(_ file: SafetensorsFile) throws -> [Module] {
        var indices = Set<Int>()
        for entry in file.entries where !entry.name.hasPrefix("classifier.") {
            let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "features", ["weight", "bias"].contains(parts[2]),
                let index = Int(parts[1]), index >= 0, String(index) == parts[1]
            else {
                throw VidclassError.file(
                    file.path,
                    "tensor \(entry.name.quoted) is not part of a torchvision VGG "
                        + "(features.<index>.weight, features.<index>.bias, classifier...)"
                )
            }
            indices.insert(index)
        }
        return try indices.sorted().map { index in
            guard let weight = file.entry(named: "features.\(index).weight"), let bias = file.entry(named: "features.\(index).bias") else {
                throw VidclassError.file(file.path, "features.\(index) has no weight or no bias")
            }
            return Module(index: index, weight: weight, bias: bias)
        }
    }

    /// The block and number of each convolution at these indices.
    private static func places(_ indices: [Int], _ path: String) throws -> [(block: Int, number: Int)] {
        var places: [(block: Int, number: Int)] = []
        for (index, previous) in zip(indices, [-3] + indices) {
            switch (index - previous, places.last) {
            case (2, let last?): places.append((last.block, last.number + 1))
            case (3, let last): places.append(((last?.block ?? 0) + 1, 1))
            default:
                throw VidclassError.file(
                    path,
                    "features.\(index) does not follow features.\(previous) as in torchvision's VGGs (two apart, or three across a pooling)"
                )
            }
        }
        return places
    }
}
