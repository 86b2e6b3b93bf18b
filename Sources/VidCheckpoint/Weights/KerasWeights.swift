import VidConfig
import VidSystem
import VidTensor

/// Reads a VGG's weights from Keras's HDF5 files.
///
/// Supports the layout of `model.save_weights("x.h5")` (Keras 1 and 2, and the official files), the same layout within
/// `model.save("x.h5")`, and Keras 3's `x.weights.h5`; the VGG may be part of a larger model. Layers that are not
/// convolutions of the VGG (`fc1`, `predictions`, an LSTM) are ignored.
package enum KerasWeights {
    /// Reads `path` in this process.
    package static func read(_ path: String) throws -> ImportedWeights {
        let file = try RegularFile(path)
        return try withExtendedLifetime(file) {
            try read(HDF5File.Source(path: path, descriptor: file.descriptor, size: file.size), sha256: file.sha256())
        }
    }

    /// A network, and the preprocessing that its weights were trained with.
    typealias Network = (architecture: Architecture, preprocessing: PreprocessingName)

    /// Reads an open file with the SHA-256 `sha256`. This is the only entry to the HDF5 library.
    ///
    /// - Parameter network: the file's; nil if the names of its layers tell it.
    static func read(_ source: HDF5File.Source, sha256: String, network: Network? = nil) throws -> ImportedWeights {
        let path = source.path
        return try HDF5File.with(source) { file in
            let layers = try KerasLayer.all(of: file)
            let known = network.map { [$0] } ?? NetworkNaming.keras.map { (.named($0.architecture), $0.preprocessing) }
            if let weights = try named(layers, among: known, of: file, sha256: sha256) { return weights }
            let (convolutions, rest) = try convolutions(layers, path)
            return try ImportedWeights(
                source: path, sha256: sha256, preprocessing: .caffe, ignored: rest, convolutions: convolutions.map(\.source)
            ) { index, kernel, bias in
                try file.read(convolutions[index].kernel, into: kernel)
                try file.read(convolutions[index].bias, into: bias)
            }
        }
    }

    /// The weights of one of `networks`, whose layers have our names; nil if the file has none of them.
    private static func named(
        _ layers: [KerasLayer], among networks: [Network], of file: borrowing HDF5File, sha256: String
    ) throws -> ImportedWeights? {
        let byName = Dictionary(layers.map { ($0.name, $0) }) { first, _ in first }
        for (architecture, preprocessing) in networks {
            let tensors = try ImportedWeights.tensors(of: architecture)
            let names = Set(tensors.map { String($0.name.prefix { $0 != "/" }) })
            guard 2 * names.filter({ byName[$0] != nil }).count >= names.count else { continue }
            // A layer's variables are in the order of ours.
            var paths: [String: String] = [:]
            for name in names {
                let own = tensors.filter { $0.name.hasPrefix("\(name)/") }
                guard let layer = byName[name] else {
                    throw VidclassError.file(file.path, "it has layers of \(architecture.label), but \(name) is missing")
                }
                // Keras's depthwise kernels are (rows, columns, channels, 1).
                let isDepthwise = own[0].shape.rank == 3
                let shapes = layer.variables.map { isDepthwise && $0.shape.last == 1 ? Array($0.shape.dropLast()) : $0.shape }
                guard shapes == own.map(\.shape.dimensions) else {
                    let (found, expected) = (shapes.map(SafetensorsEntry.text), own.map { SafetensorsEntry.text($0.shape.dimensions) })
                    throw VidclassError.file(
                        file.path,
                        "layer \(name.quoted) of \(architecture.label): expected tensors of \(expected.joined(separator: ", ")), found "
                            + found.joined(separator: ", "))
                }
                for (tensor, variable) in zip(own, layer.variables) { paths[tensor.name] = variable.path }
            }
            return try ImportedWeights(
                source: file.path, sha256: sha256, preprocessing: preprocessing, ignored: layers.map(\.name).filter { !names.contains($0) },
                architecture: architecture
            ) { name, tensor in
                if let path = paths[name] { try file.read(path, into: tensor) }
            }
        }
        return nil
    }

    private struct Convolution {
        let source: ConvolutionSource
        /// The paths of its datasets.
        let kernel: String
        let bias: String
    }

    /// The VGG's convolutions in order, and the names of the other layers that have weights.
    private static func convolutions(_ layers: [KerasLayer], _ path: String) throws -> (found: [Convolution], rest: [String]) {
        let chosen = try named(layers, path) ?? inOrder(layers, path)
        let normalized = layers.filter(\.isNormalization).map { ($0.parent, $0.variables[0].shape) }
        if chosen.allSatisfy({ one in normalized.contains { $0 == one.layer.parent && $1 == one.layer.kernelShape?.suffix(1) } }) {
            throw VidclassError.file(path, "it has batch normalization between the convolutions; only plain VGGs can be imported")
        }
        let found = try chosen.map { layer, block, number in
            guard layer.variables.count == 2, let kernel = layer.variables.first(where: { $0.shape.count == 4 }),
                let bias = layer.variables.first(where: { $0.shape.count == 1 })
            else {
                let shapes = layer.variables.map { SafetensorsEntry.text($0.shape) }.joined(separator: ", ")
                throw VidclassError.file(
                    path, "\(layer.group.quoted): expected a kernel (3, 3, channels, filters) and a bias (filters), found [\(shapes)]")
            }
            let source = ConvolutionSource(block: block, number: number, kernel: kernel.shape, bias: bias.shape)
            return Convolution(source: source, kernel: kernel.path, bias: bias.path)
        }
        let used = Set(chosen.map(\.layer.group))
        return (found, layers.filter { !used.contains($0.group) }.map(\.name))
    }

    /// The convolutions by their names, `block1_conv1` and so on; nil if no layer has such a name.
    private static func named(_ layers: [KerasLayer], _ path: String) throws -> [(layer: KerasLayer, block: Int, number: Int)]? {
        let named = layers.compactMap { layer in layer.convolution.map { (layer: layer, block: $0.block, number: $0.number) } }
            .sorted { ($0.block, $0.number) < ($1.block, $1.number) }
        for (one, other) in zip(named, named.dropFirst()) where (one.block, one.number) == (other.block, other.number) {
            throw VidclassError.file(
                path, "block\(one.block)_conv\(one.number) appears twice: \(one.layer.group.quoted) and \(other.layer.group.quoted)")
        }
        return named.isEmpty ? nil : named
    }

    /// The convolutions in file order, for files that name them `conv2d`, `conv2d_1`, ...: the filter counts identify the VGG.
    private static func inOrder(_ layers: [KerasLayer], _ path: String) throws -> [(layer: KerasLayer, block: Int, number: Int)] {
        let convolutions = layers.filter { $0.kernelShape != nil }
        let filters = convolutions.compactMap { $0.kernelShape?.last }
        guard Set(convolutions.map(\.parent)).count == 1,
            let blocks = NamedArchitecture.allCases.compactMap({ Architecture.named($0).blocks }).first(where: {
                $0.joined().elementsEqual(filters)
            })
        else {
            throw VidclassError.file(
                path, "no layers named block1_conv1, block1_conv2, ..., and its \(convolutions.count) convolutions are not those of a VGG")
        }
        let places = blocks.enumerated().flatMap { block, filters in filters.indices.map { (block + 1, $0 + 1) } }
        return zip(convolutions, places).map { ($0, $1.0, $1.1) }
    }
}
