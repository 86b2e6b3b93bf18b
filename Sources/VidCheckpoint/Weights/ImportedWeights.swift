import VidConfig
import VidModel
import VidSystem
import VidTensor

/// A CNN's weights from any kind of file, in Keras's names and layout.
package struct ImportedWeights: Sendable {
    package private(set) var architecture: Architecture
    /// Other networks with the same tensors, which the file cannot tell from this one, and the preprocessing that they were trained
    /// with: they differ in padding and epsilon.
    package internal(set) var alternatives: [(network: NamedArchitecture, preprocessing: PreprocessingName)] = []
    /// `block1_conv1/kernel` (rows, columns, channels, filters) and `block1_conv1/bias` (filters), first to last.
    /// Valid as long as this value exists.
    package let tensors: [NamedTensor]
    /// The preprocessing of the pixels that these weights were trained on.
    package private(set) var preprocessing: PreprocessingName
    /// The file they were read from, as the caller named it.
    package let source: String
    /// SHA-256 of the original file in hexadecimal digits; importing keeps it.
    package let sha256: String
    /// Layers of the file that are not part of the CNN, such as `fc1`.
    package let ignored: [String]
    private let owner: Buffer

    /// Names without `cnn/` and shapes of the tensors of a CNN over frames of three channels.
    static func tensors(of architecture: Architecture) throws -> [(name: String, shape: Shape)] {
        var layout = ParameterLayout()
        let side = architecture.smallestSide ?? 1
        _ = try FrameEncoder(architecture, input: [side, side, 3], trainable: .none, layout: &layout)
        return layout.tensors.map { (String($0.name.dropFirst(prefix.count)), $0.shape) }
    }

    /// Lets `fill` write the values of each tensor of `architecture`, which must be finite.
    package init(
        source: String, sha256: String, preprocessing: PreprocessingName, ignored: [String] = [], architecture: Architecture,
        fill: (_ name: String, _ tensor: Tensor) throws -> Void
    ) throws {
        let shapes = try ImportedWeights.tensors(of: architecture)
        try self.init(
            source: source, sha256: sha256, preprocessing: preprocessing, ignored: ignored, architecture: architecture, shapes, fill)
    }

    private init(
        source: String, sha256: String, preprocessing: PreprocessingName, ignored: [String], architecture: Architecture,
        _ shapes: [(name: String, shape: Shape)], _ fill: (_ name: String, _ tensor: Tensor) throws -> Void
    ) throws {
        let owner = try Buffer(allocating: shapes.reduce(0) { $0 + Workspace.wholeLines($1.shape.count) })
        var offset = 0
        let tensors = shapes.map { name, shape in
            defer { offset += Workspace.wholeLines(shape.count) }
            return NamedTensor(name, owner.tensor(shape, offset: offset))
        }
        for tensor in tensors { try fill(tensor.name, tensor.tensor) }
        for tensor in tensors {
            let values = UnsafeBufferPointer(start: tensor.tensor.base, count: tensor.tensor.count)
            if let index = Finiteness.firstNonFinite(values) { throw Finiteness.error(source, tensor.name, index: index, values[index]) }
        }
        self.architecture = architecture
        self.tensors = tensors
        self.preprocessing = preprocessing
        self.source = source
        self.sha256 = sha256
        self.ignored = ignored
        self.owner = owner
    }

    /// Checks that `convolutions`, in order, make a VGG, and lets `fill` write the values of each, which must be finite.
    init(
        source: String, sha256: String, preprocessing: PreprocessingName, ignored: [String] = [], convolutions: [ConvolutionSource],
        fill: (_ index: Int, _ kernel: Tensor, _ bias: Tensor) throws -> Void
    ) throws {
        let architecture = try Architecture(convolutions, of: source)
        let shapes = convolutions.flatMap { [($0.name + "/kernel", Shape($0.kernel)), ($0.name + "/bias", Shape($0.bias))] }
        let places = Dictionary(uniqueKeysWithValues: convolutions.enumerated().map { ($1.name, $0) })
        var kernel: Tensor?
        try self.init(
            source: source, sha256: sha256, preprocessing: preprocessing, ignored: ignored, architecture: architecture, shapes
        ) { name, tensor in
            guard let first = kernel, let index = places[String(name.prefix { $0 != "/" })] else {
                kernel = tensor
                return
            }
            try fill(index, first, tensor)
            kernel = nil
        }
    }

    /// The same tensors as the weights of what the user says they are.
    ///
    /// - Throws: `.badData` with the first differences if they are not the tensors of `architecture`.
    func said(to be: NamedArchitecture?, trainedOn preprocessing: PreprocessingName?) throws -> ImportedWeights {
        var weights = self
        if let other = alternatives.first(where: { $0.network == be }) { weights.preprocessing = other.preprocessing }
        if let preprocessing { weights.preprocessing = preprocessing }
        guard let be else { return weights }
        let wanted = try ImportedWeights.tensors(of: .named(be))
        let found = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor.shape) })
        var differences = wanted.compactMap { name, shape in
            guard let own = found[name] else { return "\(name) is missing" }
            return own == shape ? nil : "\(name) is \(own), expected \(shape)"
        }
        let names = Set(wanted.map(\.name))
        differences += tensors.filter { !names.contains($0.name) }.map { "\($0.name) is not part of it" }
        guard differences.isEmpty else {
            let more = differences.count > 4 ? "; and \(differences.count - 4) more" : ""
            throw VidclassError.file(
                source,
                "holds the weights of \(architecture.label), which are not those of \(be.rawValue): "
                    + "\(differences.prefix(4).joined(separator: "; "))\(more)")
        }
        weights.architecture = .named(be)
        weights.alternatives = []
        return weights
    }

    /// Fills the `cnn/...` tensors of `store`, which must be those of this architecture; other tensors are left alone.
    ///
    /// If the model takes one channel and the weights several, the first convolution is folded into one channel (`fold`): a grey frame
    /// then gives the result of a frame with this grey in all channels, except near the frame's borders.
    ///
    /// - Parameter preprocessing: of the model's frames.
    /// - Returns: notes for the user about such changes.
    /// - Throws: `.badData` with the first differences; the store is then unchanged.
    package func load(into store: ParameterStore, preprocessing: PreprocessingName) throws -> [String] {
        let slices = store.slices.filter { $0.name.hasPrefix(ImportedWeights.prefix) }
        let byName = Dictionary(uniqueKeysWithValues: tensors.map { (ImportedWeights.prefix + $0.name, $0.tensor) })
        let first = ImportedWeights.prefix + (tensors.first?.name ?? "")
        var differences: [String] = []
        for slice in slices {
            guard let tensor = byName[slice.name] else {
                differences.append("\(slice.name) \(slice.shape) is missing")
                continue
            }
            if tensor.shape != slice.shape, !(slice.name == first && isSum(of: tensor.shape, slice.shape)) {
                differences.append("\(slice.name) is \(tensor.shape), expected \(slice.shape)")
            }
        }
        let expected = Set(slices.map(\.name))
        differences += tensors.filter { !expected.contains(ImportedWeights.prefix + $0.name) }.map {
            "\(ImportedWeights.prefix + $0.name) \($0.tensor.shape) is not in the model"
        }
        guard differences.isEmpty else {
            let more = differences.count > 4 ? "; and \(differences.count - 4) more" : ""
            throw VidclassError.file(
                source,
                "its weights (\(architecture.label)) are not those of this CNN: \(differences.prefix(4).joined(separator: "; "))\(more)")
        }
        for slice in slices {
            if let tensor = byName[slice.name], tensor.shape == slice.shape { store.value(slice).copy(from: tensor) }
        }
        var notes: [String] = []
        if let slice = slices.first(where: { $0.name == first }), let kernel = byName[first], kernel.shape != slice.shape {
            let bias = slices.first { $0.name == first.replacing("/kernel", with: "/bias") }
            let mean = slices.first { $0.name.hasSuffix("/moving_mean") }
            fold(kernel, by: preprocessing, into: store.value(slice), bias: bias.map(store.value), mean: mean.map(store.value))
            notes.append(
                "\(slice.name): its \(kernel.shape[2]) input channels are folded into one, because the model's input has one channel. "
                    + "A grey frame gives the features of the same frame in colour, except near its borders")
        }
        store.didChange()
        return notes
    }

    /// A warning for the user if the config's preprocessing differs from the one these weights were trained with.
    package func warning(configured: PreprocessingName) -> String? {
        guard configured != preprocessing else { return nil }
        return "\(source.printable): these weights were trained with data.preprocessing \"\(preprocessing.rawValue)\", "
            + "but the config has \"\(configured.rawValue)\"; the features will be worse. Better add "
            + ShellText.setting("data.preprocessing", preprocessing.rawValue)
    }

    private static let prefix = "cnn/"

    private func isSum(of shape: Shape, _ wanted: Shape) -> Bool {
        wanted.rank == 4 && wanted[2] == 1 && shape.rank == 4 && shape[0] == wanted[0] && shape[1] == wanted[1] && shape[3] == wanted[3]
    }

    /// Writes the first convolution's kernel (rows, columns, channels, filters), folded into one channel, to `folded`, and adds to its
    /// bias what the channels' offsets amount to. Without a bias it takes that from the mean of the batch normalisation behind it.
    ///
    /// A grey g becomes s g + o in a model of one channel, and s_c g + o_c in channel c of a model of several. Channel c is thus
    /// a_c = s_c / s times the single channel, plus b_c = o_c - o a_c:
    ///
    ///     kernel'[i, j, f] = sum over c of a_c kernel[i, j, c, f]
    ///     bias'[f] = bias[f] + sum over i, j, c of b_c kernel[i, j, c, f]
    ///
    /// This is exact where the kernel lies within the frame. Beyond the border, zeros stand for the grey -o / s here, and for
    /// -o_c / s_c in channel c there. They differ only for `caffe` and `torch`, whose b_c are not 0.
    private func fold(_ kernel: Tensor, by name: PreprocessingName, into folded: Tensor, bias: Tensor?, mean: Tensor?) {
        let (channels, filters) = (kernel.shape[2], kernel.shape[3])
        let (one, several) = (Preprocessing(name, channels: 1), Preprocessing(name, channels: channels))
        let scales = several.scale.map { Double($0) / Double(one.scale[0]) }
        let offsets = zip(several.offset, scales).map { Double($0) - Double(one.offset[0]) * $1 }
        var shift = [Double](repeating: 0, count: filters)
        for place in 0..<kernel.shape[0] * kernel.shape[1] {
            for filter in 0..<filters {
                var sum = 0.0
                for channel in 0..<channels {
                    let weight = Double(kernel.base[(place * channels + channel) * filters + filter])
                    sum += scales[channel] * weight
                    shift[filter] += offsets[channel] * weight
                }
                folded.base[place * filters + filter] = Float(sum)
            }
        }
        for filter in 0..<filters {
            if let bias {
                bias.base[filter] = Float(Double(bias.base[filter]) + shift[filter])
            } else if let mean {
                mean.base[filter] = Float(Double(mean.base[filter]) - shift[filter])
            }
        }
    }
}
