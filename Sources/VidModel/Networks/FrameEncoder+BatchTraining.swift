import VidTensor

/// Training where a layer is trained that normalises by all frames of a step.
extension FrameEncoder {
    /// Whether there is such a layer: each layer then runs on all frames at once.
    package var normalizesByBatch: Bool { graph.nodes.indices.contains { batchLayer($0) != nil } }

    /// The layer of node `index` if it normalises by the batch.
    private func batchLayer(_ index: Int) -> (any BatchLayer)? {
        let layer = graph.nodes[index].layer
        return layer.isTrainable ? layer as? any BatchLayer : nil
    }

    /// The place of the statistics of node `index`, in floats; for the number of nodes, the floats of all.
    private func statisticsOffset(_ index: Int) -> Int { (0..<index).reduce(0) { $0 + (batchLayer($1)?.statisticsCount ?? 0) } }

    var statisticsBytes: Int { Workspace.wholeLines(statisticsOffset(graph.nodes.count)) * MemoryLayout<Float>.stride }

    /// A step that follows a `StepSchedule`, and its memory in the context's workspace.
    struct BatchStep {
        private let encoder: FrameEncoder
        private let schedule: StepSchedule
        private let frames: Tensor
        private let features: Tensor
        private let statistics: UnsafeMutablePointer<Float>
        private let base: UnsafeMutablePointer<Float>

        init(_ encoder: FrameEncoder, _ schedule: StepSchedule, frames: Tensor, features: Tensor, _ workspace: Workspace) {
            self.encoder = encoder
            self.schedule = schedule
            self.frames = frames
            self.features = features
            statistics = workspace.take([encoder.statisticsOffset(encoder.graph.nodes.count)]).base
            base = workspace.take([frames.shape[0], schedule.floats]).base
        }

        func forward(_ context: Context) {
            for operation in schedule.operations.prefix(schedule.forwardCount) { run(operation, context) }
        }

        /// Adds the parameters' gradients; overwrites `dFeatures`.
        func backward(_ dFeatures: Tensor, _ context: Context) {
            for operation in schedule.operations.dropFirst(schedule.forwardCount) {
                if operation.kind == .backward { goBack(operation, dFeatures, context) } else { run(operation, context) }
            }
        }

        /// A node's output, or its gradient.
        private func tensor(_ value: StepSchedule.Value?, _ node: Int, dFeatures: Tensor? = nil) -> Tensor {
            switch value {
            case StepSchedule.frames: return frames
            case StepSchedule.features: return features
            case StepSchedule.dFeatures: return dFeatures ?? features
            // What is not read has a shape, but no place.
            default:
                let offset = value.map { schedule.offsets[$0] } ?? 0
                return Tensor(base + offset * frames.shape[0], encoder.graph.shape(node).prepending(frames.shape[0]))
            }
        }

        private func statistics(_ index: Int, _ layer: any BatchLayer) -> Tensor {
            Tensor(statistics + encoder.statisticsOffset(index), [layer.statisticsCount])
        }

        private func run(_ operation: StepSchedule.Operation, _ context: Context) {
            let index = operation.node
            let node = encoder.graph.nodes[index]
            let output = tensor(operation.output, index)
            let input = tensor(operation.inputs[0], node.inputs[0])
            if let batch = encoder.batchLayer(index), context.isTraining {
                let saved = statistics(index, batch)
                if operation.kind == .forward {
                    batch.forward(input, into: output, statistics: saved, context)
                } else {
                    batch.repeatForward(input, into: output, statistics: saved, context)
                }
                return
            }
            switch node.operation {
            case .layer(let layer): layer.forward(input, into: output, context)
            case .merge(let layer): layer.forward(input, tensor(operation.inputs[1], node.inputs[1]), into: output, context)
            }
        }

        private func goBack(_ operation: StepSchedule.Operation, _ dFeatures: Tensor, _ context: Context) {
            let index = operation.node
            let node = encoder.graph.nodes[index]
            let gradient = tensor(operation.gradient, index, dFeatures: dFeatures)
            let (input, output) = (tensor(operation.inputs[0], node.inputs[0]), tensor(operation.output, index))
            func target(_ place: Int) -> Tensor? { operation.targets[place].map { tensor($0.value, node.inputs[place]) } }
            switch node.operation {
            case .layer(let layer):
                if let batch = encoder.batchLayer(index), context.isTraining {
                    batch.backward(
                        gradient, input: input, into: target(0), statistics: statistics(index, batch), rectified: operation.rectified,
                        context)
                } else {
                    layer.backward(gradient, input: input, output: output, into: target(0), rectified: operation.rectified, context)
                }
            case .merge(let layer):
                layer.backward(
                    gradient, first: input, second: tensor(operation.inputs[1], node.inputs[1]), output: output, into: target(0), target(1),
                    isRectified: operation.rectified.output, context)
            }
            for (place, target) in operation.targets.enumerated() {
                guard let target, let sum = target.sum else { continue }
                let own = tensor(sum, node.inputs[place])
                Elementwise.add(own, tensor(target.value, node.inputs[place]), into: own, context.workers)
            }
            context.didFinishLayer?(node.layer.name)
        }
    }
}
