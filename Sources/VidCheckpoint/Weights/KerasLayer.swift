import VidSystem

/// A layer with weights in one of Keras's two HDF5 layouts.
struct KerasLayer {
    /// A floating-point dataset.
    struct Variable {
        let path: String
        let shape: [Int]
    }

    /// Keras's name of the layer.
    let name: String
    /// The path of the layer's group.
    let group: String
    /// The variables, in the order of the file.
    var variables: [Variable] = []

    var parent: String { group.lastIndex(of: "/").map { String(group[..<$0]) } ?? "" }

    /// The VGG convolution that its name stands for; nil for other names.
    var convolution: (block: Int, number: Int)? { ConvolutionSource.place(name) }

    /// The shape of its first variable with four axes.
    var kernelShape: [Int]? { variables.first { $0.shape.count == 4 }?.shape }

    /// Whether it is a batch normalization: scale, offset, moving mean and variance.
    var isNormalization: Bool {
        variables.count == 4 && variables.allSatisfy { $0.shape.count == 1 && $0.shape == variables[0].shape }
    }

    /// All layers of `file` that have weights, in order.
    static func all(of file: borrowing HDF5File) throws -> [KerasLayer] {
        for root in ["", "model_weights"] {
            guard try root.isEmpty || file.kind(root) == .group else { continue }
            if let names = try file.strings(root, "layer_names") { return try listed(names, in: root, of: file) }
        }
        if try file.kind("layers") == .group {
            var layers: [KerasLayer] = []
            var groups = 0
            try walk("layers", of: file, depth: 0, &groups, into: &layers)
            return layers
        }
        throw VidclassError.file(
            file.path, "it has no Keras weights (no attribute layer_names, no group model_weights, no group layers)")
    }

    // MARK: - Keras 1 and 2

    /// The group of each layer of `layer_names` lists its datasets in `weight_names`. A nested model is one layer
    /// whose weights are named `block1_conv1/kernel:0`; weights of one group count as one layer here.
    private static func listed(_ names: [String], in root: String, of file: borrowing HDF5File) throws -> [KerasLayer] {
        var layers: [KerasLayer] = []
        for name in names {
            let top = try join(root, name, of: file)
            guard let weights = try file.strings(top, "weight_names") else {
                throw VidclassError.file(file.path, "layer \(name.quoted) has no attribute weight_names")
            }
            for weight in weights {
                let path = try join(top, weight, of: file)
                guard let shape = try file.floatShape(path) else { continue }
                let group = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
                if layers.last?.group != group {
                    let components = group.split(separator: "/")
                    let name =
                        components.last { ConvolutionSource.place($0) != nil || NetworkNaming.kerasLayers.contains(String($0)) }
                        ?? Substring(name)
                    layers.append(KerasLayer(name: String(name), group: group))
                }
                layers[layers.count - 1].variables.append(Variable(path: path, shape: shape))
            }
        }
        return layers
    }

    private static func join(_ root: String, _ name: String, of file: borrowing HDF5File) throws -> String {
        let components = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !components.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw VidclassError.file(file.path, "the name \(name.quoted) is not a path within the file")
        }
        return root.isEmpty ? name : "\(root)/\(name)"
    }

    // MARK: - Keras 3

    /// A layer's group holds its weights in `vars/0`, `vars/1`, ... and its parts in other groups. Groups are named after the
    /// layers' classes (`conv2d`, `conv2d_1`, in order); `vars` may have the layer's own name as an attribute.
    private static func walk(_ group: String, of file: borrowing HDF5File, depth: Int, _ groups: inout Int, into layers: inout [KerasLayer])
        throws
    {
        // A group may contain itself.
        groups += 1
        guard depth <= 16, groups <= 10_000 else {
            throw VidclassError.file(file.path, "\(group.quoted): more nested groups than any model has")
        }
        for child in try file.children(group).sorted(by: precedes) {
            let path = "\(group)/\(child)"
            guard try file.kind(path) == .group else { continue }
            guard child == "vars" else {
                try walk(path, of: file, depth: depth + 1, &groups, into: &layers)
                continue
            }
            let own = try file.strings(path, "name")?.first
            var layer = KerasLayer(name: own ?? String(group.split(separator: "/").last ?? ""), group: group)
            for variable in try file.children(path).sorted(by: precedes) {
                guard let shape = try file.floatShape("\(path)/\(variable)") else { continue }
                layer.variables.append(Variable(path: "\(path)/\(variable)", shape: shape))
            }
            if !layer.variables.isEmpty { layers.append(layer) }
        }
    }

    /// `conv2d` before `conv2d_1` before `conv2d_2` before `conv2d_10`; `2` before `10`.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        let (a, b) = (numbered(a), numbered(b))
        return a.stem == b.stem ? a.number < b.number : a.stem < b.stem
    }

    private static func numbered(_ name: String) -> (stem: String, number: Int) {
        if let number = Int(name) { return ("", number) }
        guard let underscore = name.lastIndex(of: "_"), let number = Int(name[name.index(after: underscore)...]) else { return (name, 0) }
        return (String(name[..<underscore]), number)
    }
}
