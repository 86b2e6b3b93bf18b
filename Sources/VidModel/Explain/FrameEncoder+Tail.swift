import VidTensor

/// The layers behind the last convolution, forwards and backwards, whether or not anything is trained.
extension FrameEncoder {
    /// The last convolution's place among the layers; nil in a network without one.
    package var lastConvolution: Int? { layers.lastIndex { $0 is Conv2D } }

    /// What the layers behind layer `index` made of its output, in the pass's workspace.
    struct Tail {
        /// The input of each layer behind `index`, and last the features.
        let values: [Tensor]
        let index: Int

        var features: Tensor { values[values.count - 1] }
    }

    /// Runs the layers behind layer `index` on its output (N, ...).
    func runTail(behind index: Int, _ output: Tensor, _ context: Context) -> Tail {
        var values = [output]
        for layer in index + 1..<layers.count {
            let next = context.workspace.take(shapes[layer].prepending(output.shape[0]))
            layers[layer].forward(values[values.count - 1], into: next, context)
            values.append(next)
        }
        return Tail(values: values, index: index)
    }

    /// The gradient of layer `index`'s output, from that of the features (N, ...), which may be overwritten.
    func tailGradient(_ dFeatures: Tensor, _ tail: Tail, _ context: Context) -> Tensor {
        var gradient = dFeatures
        for layer in (tail.index + 1..<layers.count).reversed() {
            let place = layer - tail.index - 1
            let input = tail.values[place]
            let next = context.workspace.take(input.shape)
            layers[layer].backward(gradient, input: input, output: tail.values[place + 1], into: next, context)
            gradient = next
        }
        return gradient
    }
}
