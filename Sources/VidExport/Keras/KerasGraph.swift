import VidSystem

/// A functional model of Keras under construction: layers that take each other's outputs.
package struct KerasGraph {
    /// A layer of Keras with its options and its variables.
    package struct Layer {
        /// The graph gives it another one if it has a layer of this name.
        package var name: String
        /// Keras's name of the class, such as `Conv2D`.
        package let type: String
        /// Arguments that differ from the class's defaults.
        package var options: [(String, JSONNode)] = []
        /// The layers whose outputs it takes.
        package let inputs: [String]
        /// True if the layer takes its inputs as one list, as `Add` does.
        package var takesList = false
        /// Further arguments of its call, which are constants or the outputs of layers.
        package var arguments: [(String, Argument)] = []
        /// The extents of its output, without the batch.
        package let shape: [Int]
        /// Its variables: paths below the layer's own, such as `vars/0`.
        package var variables: [Variable] = []
        /// The type of an input's numbers.
        package var numbers = "float32"
    }

    /// A variable in a group of `model.weights.h5`.
    package struct Variable {
        package let path: String
        /// The name of the layer within a layer that has it; nil: the layer itself.
        package var layer: String?
        package let tensor: ExportedTensor

        package init(path: String, layer: String? = nil, tensor: ExportedTensor) {
            self.path = path
            self.layer = layer
            self.tensor = tensor
        }

        package init(_ path: String, _ tensor: ExportedTensor) { self.init(path: path, tensor: tensor) }
    }

    package enum Argument {
        case constant(JSONNode)
        case output(String)
    }

    package let name: String
    private(set) var layers: [Layer] = []
    private var places: [String: Int] = [:]

    package init(_ name: String) { self.name = name }

    /// Adds a layer; returns its name.
    @discardableResult
    package mutating func add(_ layer: Layer) -> String {
        var layer = layer
        var number = 2
        while places[layer.name] != nil { (layer.name, number) = ("\(layer.name)_\(number)", number + 1) }
        places[layer.name] = layers.count
        layers.append(layer)
        return layer.name
    }

    /// An input without its batch.
    package mutating func addInput(_ name: String, _ shape: [Int], numbers: String = "float32") -> String {
        add(Layer(name: name, type: "InputLayer", inputs: [], shape: shape, numbers: numbers))
    }

    /// The extents of a layer's output, without the batch.
    package func shape(_ layer: String) -> [Int] { self[layer].shape }

    package subscript(name: String) -> Layer {
        guard let place = places[name] else { preconditionFailure("no layer named \(name)") }
        return layers[place]
    }

    private var inputs: [Layer] { layers.filter { $0.type == "InputLayer" } }
}

// MARK: - The configuration

extension KerasGraph {
    /// The model as `keras.saving.deserialize_keras_object` takes it. The last layer gives the output.
    package var configuration: JSONNode {
        func place(_ layers: [Layer]) -> JSONNode {
            let places = layers.map { JSONNode.array([.string($0.name), 0, 0]) }
            return places.count == 1 ? places[0] : .array(places)
        }
        return [
            "module": "keras.src.models.functional", "class_name": "Functional",
            "config": [
                "name": .string(name), "trainable": true, "layers": .array(layers.map(configuration)),
                "input_layers": place(inputs), "output_layers": place(layers.suffix(1)),
            ], "registered_name": "Functional",
        ]
    }

    private func configuration(_ layer: Layer) -> JSONNode {
        var node: JSONNode
        if layer.type == "InputLayer" {
            node = KerasGraph.layer(layer.type, layer.name, [("batch_shape", batched(layer.shape)), ("dtype", .string(layer.numbers))])
        } else {
            node = KerasGraph.layer(layer.type, layer.name, layer.options)
        }
        node.set("name", .string(layer.name))
        node.set("inbound_nodes", layer.inputs.isEmpty ? [] : [call(layer)])
        return node
    }

    /// A layer of Keras's own as it is written in a configuration.
    package static func layer(_ type: String, _ name: String, _ options: [(String, JSONNode)]) -> JSONNode {
        [
            "module": "keras.layers", "class_name": .string(type), "config": .object([("name", .string(name))] + options),
            "registered_name": nil,
        ]
    }

    private func call(_ layer: Layer) -> JSONNode {
        let inputs = layer.inputs.map(output)
        return [
            "args": layer.takesList ? [.array(inputs)] : .array(inputs),
            "kwargs": .object(
                layer.arguments.map { name, argument in
                    switch argument {
                    case .constant(let node): (name, node)
                    case .output(let layer): (name, output(layer))
                    }
                }),
        ]
    }

    private func output(_ name: String) -> JSONNode {
        let layer = self[name]
        return [
            "class_name": "__keras_tensor__",
            "config": ["shape": batched(layer.shape), "dtype": .string(layer.numbers), "keras_history": [.string(name), 0, 0]],
        ]
    }

    private func batched(_ shape: [Int]) -> JSONNode { .array([nil] + shape.map { .integer($0) }) }
}

// MARK: - The variables

extension KerasGraph {
    /// All variables by their path in `model.weights.h5`, where a layer is known by its class and its number among those of this class, in
    /// the order in which Keras sorts a model's layers.
    package var variables: [Variable] {
        var counts: [String: Int] = [:]
        return sorted.flatMap { layer -> [Variable] in
            let number = counts[layer.type, default: 0]
            counts[layer.type] = number + 1
            let name = KerasGraph.snakeCase(layer.type) + (number == 0 ? "" : "_\(number)")
            return layer.variables.map { Variable(path: "layers/\(name)/\($0.path)", layer: $0.layer ?? layer.name, tensor: $0.tensor) }
        }
    }

    /// The layers as `keras.src.ops.function.map_graph` sorts them: those farthest from the output first, and of equal distance as a
    /// depth-first search from the output meets them.
    private var sorted: [Layer] {
        var depths = [Int](repeating: 0, count: layers.count)
        func sources(_ layer: Layer) -> [Int] {
            let arguments = layer.arguments.compactMap { if case .output(let name) = $0.1 { name } else { nil } }
            return (layer.inputs + arguments).compactMap { places[$0] }
        }
        // Each layer comes after those that it takes from.
        for index in layers.indices.reversed() {
            for source in sources(layers[index]) { depths[source] = max(depths[source], depths[index] + 1) }
        }
        var order: [Int: Int] = [:]
        func visit(_ index: Int) {
            guard order[index] == nil else { return }
            order[index] = order.count
            for source in sources(layers[index]) { visit(source) }
        }
        visit(layers.count - 1)
        return layers.indices.sorted { (depths[$1], order[$0] ?? -1) < (depths[$0], order[$1] ?? -1) }.map { layers[$0] }
    }

    /// `DepthwiseConv2D` -> `depthwise_conv2d`, by the rule of `keras.src.utils.naming`.
    package static func snakeCase(_ type: String) -> String {
        let letters = Array(type)
        var name = ""
        for (index, letter) in letters.enumerated() {
            let startsWord = letter.isUppercase && index > 0 && index + 1 < letters.count && letters[index + 1].isLowercase
            let endsWord = letter.isUppercase && index > 0 && letters[index - 1].isLowercase
            if startsWord || endsWord { name += "_" }
            name += letter.lowercased()
        }
        return name
    }
}
