import VidTensor

/// A layer of the CNN, over maps (N, H, W, C) or vectors (N, F) of N frames: what all kinds have in common.
///
/// Results have the same bits whatever number of frames is passed at once, unless the layer normalises by its batch. The functions
/// write where they are told and take nothing from the workspace that outlives the call, so that a `FrameEncoder` decides what is
/// saved.
package protocol NetworkLayer: Sendable {
    /// Keras's name of the layer, such as `block1_conv1`; unique in the network.
    var name: String { get }

    /// Keras's name of this kind of layer, such as `Conv2D`.
    var type: String { get }

    /// The number of floats in its parameters.
    var parameterCount: Int { get }

    /// Returns true if any of its parameters is trained.
    var isTrainable: Bool { get }

    /// Returns true if its last operation is a ReLU.
    var hasReLU: Bool { get }

    /// Returns true for convolutions. `explain` shows the output of one of them.
    var isConvolution: Bool { get }

    /// Whether `backward` may write on `dOutput`.
    var overwritesOutputGradient: Bool { get }

    /// Whether `backward` reads the inputs.
    var readsInput: Bool { get }

    /// Whether `backward` reads the output for more than its ReLU.
    var readsOutput: Bool { get }

    /// Whether `backward` reads the output for its ReLU.
    var readsOutputForReLU: Bool { get }

    /// Whether `backward` may write the gradient of its (first) input over the input, for input samples of shape `input`: it must
    /// have read each value before it writes there.
    func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool

    /// Whether `backward` may write the gradient of its (first) input, if that has as many elements, over `dOutput`.
    var canOverwriteOutputGradient: Bool { get }

    /// Multiplications and additions for one (first) input sample of shape `input`; 0 where they do not matter.
    func flops(_ input: Shape) -> Double

    /// The floating-point operations of the matrix products that compute `flops`; fewer than those where there is a better algorithm.
    func productFlops(_ input: Shape) -> Double

    /// The name of the algorithm for input samples of shape `input`; nil where there is no choice.
    func algorithmName(_ input: Shape) -> String?

    /// Bytes of scratch memory during `forward`, or with `gradients` during either pass, on so many workers.
    func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int

    /// Bytes of the layer's transformed kernels in the `FilterCache`: for the forward pass and, with `inputGradient`, for the
    /// input's gradient.
    func filterBytes(_ input: Shape, inputGradient: Bool) -> Int

    /// Finds the memory of `filterBytes`.
    ///
    /// - Throws: `.other` if memory runs out.
    func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws
}

extension NetworkLayer {
    package var parameterCount: Int { 0 }
    package var isTrainable: Bool { false }
    package var hasReLU: Bool { false }
    package var isConvolution: Bool { false }
    package var overwritesOutputGradient: Bool { false }
    package var readsInput: Bool { true }
    package var readsOutput: Bool { false }
    package var readsOutputForReLU: Bool { hasReLU }
    package var canOverwriteOutputGradient: Bool { false }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { false }

    package func flops(_ input: Shape) -> Double { 0 }

    package func productFlops(_ input: Shape) -> Double { flops(input) }

    package func algorithmName(_ input: Shape) -> String? { nil }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int { 0 }

    package func filterBytes(_ input: Shape, inputGradient: Bool) -> Int { 0 }

    package func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws {}
}

/// A layer of the CNN with one input.
package protocol FrameLayer: NetworkLayer, Layer {
    func forward(_ input: Tensor, into output: Tensor, _ context: Context)

    /// Adds the parameters' gradients, and writes the input's to `dInput` unless it is nil. `input` and `output` are those of
    /// `forward`. The ReLUs of the layer and of the one before it are applied where that is cheapest.
    func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context)
}

/// A layer of the CNN that joins two maps.
package protocol MergeLayer: NetworkLayer {
    /// The shape of one output sample for two input samples.
    func outputShape(_ first: Shape, _ second: Shape) -> Shape

    func forward(_ first: Tensor, _ second: Tensor, into output: Tensor, _ context: Context)

    /// Writes the inputs' gradients unless they are nil. The inputs and `output` are those of `forward`.
    func backward(
        _ dOutput: Tensor, first: Tensor, second: Tensor, output: Tensor, into dFirst: Tensor?, _ dSecond: Tensor?, isRectified: Bool,
        _ context: Context)
}

/// A layer whose result in training depends on all frames of the step.
package protocol BatchLayer: FrameLayer {
    /// Floats that `forward` saves for `backward`.
    var statisticsCount: Int { get }

    /// As `forward` in training; writes `statistics` (statisticsCount).
    func forward(_ input: Tensor, into output: Tensor, statistics: Tensor, _ context: Context)

    /// The same output again, by the statistics that `forward` wrote; changes nothing else.
    func repeatForward(_ input: Tensor, into output: Tensor, statistics: Tensor, _ context: Context)

    func backward(
        _ dOutput: Tensor, input: Tensor, into dInput: Tensor?, statistics: Tensor, rectified: RectifiedGradients, _ context: Context)
}

/// A convolution that inference computes together with the layers after it.
package protocol FusingLayer: FrameLayer {
    /// Returns true if the layer can compute `finish` as well, for input samples of shape `input`.
    func canFinish(_ finish: Finish, _ input: Shape) -> Bool

    func forward(_ input: Tensor, into output: Tensor, _ finish: Finish, adding: Tensor?, _ context: Context)

    /// Brings up to date what `forward` with this finish takes from the context's `FilterCache`.
    func prepareFilters(_ input: Shape, _ finish: Finish, _ context: Context)

    /// The rows of the input that rows of the output depend on; nil if the layer does not compute rows by themselves.
    func rowWindow(_ input: Shape) -> RowWindow?

    /// Computes the rows `rows` of the output of one frame on the calling thread, with the filters that were prepared. All maps are
    /// given by the place of their row 0; of the input only the rows that `rowWindow` names are read. Only where that is not nil.
    func forward(
        rows: Range<Int>, of input: Shape, _ source: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, _ finish: Finish,
        adding: UnsafePointer<Float>?, _ context: Context)

    /// Bytes that `FilterCache` holds for `forward` with this finish.
    func filterBytes(_ input: Shape, _ finish: Finish) -> Int

    /// Finds the memory of `filterBytes`.
    ///
    /// - Throws: `.other` if memory runs out.
    func reserveFilters(_ input: Shape, _ finish: Finish, _ filters: FilterCache) throws
}

/// The input rows that rows of a convolution's output depend on: row i on `count` rows from i * step - before on.
package struct RowWindow: Sendable {
    let count: Int
    let step: Int
    let before: Int
    /// The input's rows.
    let rows: Int

    /// The input rows, within the map, that output rows depend on.
    func input(_ output: Range<Int>) -> Range<Int> {
        (output.lowerBound * step - before..<(output.upperBound - 1) * step - before + count).clamped(to: 0..<rows)
    }

    /// The most input rows that so many output rows depend on.
    func inputCount(_ output: Int) -> Int { min(rows, (output - 1) * step + count) }
}

/// The layers that inference computes within the convolution before them:
/// output = pool(activation(normalization(convolution) + adding)).
package struct Finish: Sendable {
    package var normalization: NormalizationParameters?
    package var isAdding = false
    package var activation = ActivationKind.linear
    /// A 2x2 max pooling follows.
    package var isPooled = false

    package init() {}
}

/// The gradients of ReLUs that are computed along with another layer's, to save a pass over the maps.
package struct RectifiedGradients: Sendable, Equatable {
    /// dOutput is already 0 where the output is not positive: the layer's own ReLU is done.
    package var output = false
    /// dInput must be 0 where the input is not positive: the layer also does the ReLU before it.
    package var input = false

    package init() {}
}

extension FrameLayer {
    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        forward(input, into: output, context)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        var gradient = dOutput
        if overwritesOutputGradient {
            gradient = context.workspace.take(dOutput.shape)
            gradient.copy(from: dOutput)
        }
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        backward(gradient, input: saved.input, output: saved.output, into: dInput, context)
        return dInput
    }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        backward(dOutput, input: input, output: output, into: dInput, rectified: RectifiedGradients(), context)
    }

    /// Applies the ReLU before the layer to the gradient of its input, where `rectified` asks for it.
    func rectify(_ dInput: Tensor, _ input: Tensor, _ rectified: RectifiedGradients, _ context: Context) {
        if rectified.input { Rectifier.gradient(output: input, dOutput: dInput, dInput: dInput, workers: context.workers) }
    }
}
