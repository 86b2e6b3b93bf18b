import VidTensor

/// The layers of a CNN as a graph: each takes the outputs of earlier ones.
package struct NetworkGraph: Sendable {
    /// A layer, and where its input comes from.
    package struct Node: Sendable {
        package let operation: Operation
        /// The indices of the nodes whose outputs it takes; `NetworkGraph.frames` is the network's input.
        package let inputs: [Int]

        package init(_ layer: any FrameLayer, _ input: Int) {
            operation = .layer(layer)
            inputs = [input]
        }

        package init(_ layer: any MergeLayer, _ first: Int, _ second: Int) {
            operation = .merge(layer)
            inputs = [first, second]
        }

        fileprivate init(_ node: Node, shiftedBy count: Int) {
            operation = node.operation
            inputs = node.inputs.map { $0 - count }
        }

        package var layer: any NetworkLayer {
            switch operation {
            case .layer(let layer): layer
            case .merge(let layer): layer
            }
        }
    }

    package enum Operation: Sendable {
        case layer(any FrameLayer)
        case merge(any MergeLayer)
    }

    /// The index that stands for the network's input among a node's inputs.
    package static let frames = -1

    /// In an order in which each comes after its inputs; the last one's output is the network's.
    package let nodes: [Node]
    /// The shape of a frame.
    package let inputShape: Shape
    /// The shape of each node's output for one frame.
    package let shapes: [Shape]
    /// The nodes that take each node's output, in order.
    package let consumers: [[Int]]
    /// For 0 ... count, whether the nodes before it hand only the output of the last one of them to the rest.
    package let isCut: [Bool]

    package init(_ nodes: [Node], inputShape: Shape) {
        precondition(!nodes.isEmpty, "a network without layers")
        self.nodes = nodes
        self.inputShape = inputShape
        var shapes: [Shape] = []
        var consumers = [[Int]](repeating: [], count: nodes.count)
        // The last node that takes the output of each node; first of the network's input.
        var lastUse = [Int](repeating: -1, count: nodes.count + 1)
        for (index, node) in nodes.enumerated() {
            precondition(node.inputs.allSatisfy { $0 < index && $0 >= NetworkGraph.frames }, "\(node.layer.name) takes \(node.inputs)")
            func shape(_ input: Int) -> Shape { input < 0 ? inputShape : shapes[input] }
            switch node.operation {
            case .layer(let layer): shapes.append(layer.outputShape(shape(node.inputs[0])))
            case .merge(let layer): shapes.append(layer.outputShape(shape(node.inputs[0]), shape(node.inputs[1])))
            }
            for input in node.inputs {
                if input >= 0 { consumers[input].append(index) }
                lastUse[input + 1] = index
            }
        }
        self.shapes = shapes
        self.consumers = consumers
        var isCut = [Bool](repeating: true, count: nodes.count + 1)
        var latest = -1
        for index in nodes.indices {
            // Everything before node `index` but the value just before it must have been used up.
            isCut[index] = latest < index
            latest = max(latest, lastUse[index])
        }
        self.isCut = isCut
    }

    /// The shape of the output of node `index`, or of a frame for `frames`.
    package func shape(_ index: Int) -> Shape { index < 0 ? inputShape : shapes[index] }

    /// The shape of the (first) input of node `index`, for one frame.
    package func inputShape(of index: Int) -> Shape { shape(nodes[index].inputs[0]) }

    /// The nodes of `range`, whose ends must be cuts, as a network of its own.
    func part(_ range: Range<Int>) -> NetworkGraph {
        precondition(isCut[range.lowerBound] && isCut[range.upperBound], "the nodes \(range) take or give more than one output")
        return NetworkGraph(
            nodes[range].map { Node($0, shiftedBy: range.lowerBound) }, inputShape: shape(range.lowerBound - 1))
    }

    /// The last cut that is not after `index`.
    func cut(notAfter index: Int) -> Int {
        var index = index
        while !isCut[index] { index -= 1 }
        return index
    }

    /// The first cut that is not before `index`.
    func cut(notBefore index: Int) -> Int {
        var index = index
        while !isCut[index] { index += 1 }
        return index
    }
}
