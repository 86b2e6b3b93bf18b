import VidConfig
import VidModel
import VidSystem
import VidTensor

extension ImportedWeights {
    /// The largest output of weights that were trained on ImageNet is far below this: VGG16's on this picture is 117.
    private static let enormous: Float = 1e5

    /// Runs the convolutions on a built-in picture.
    ///
    /// - Returns: a warning if the last feature map is all zero or enormous; nil if it may be that of a trained network.
    /// - Throws: `.badData` if it is not finite, `.other` if memory runs out.
    package func trial() throws -> String? {
        guard let channels = tensors.first?.tensor.shape[2], let smallest = architecture.smallestSide, smallest <= 256 else { return nil }
        let side = max(64, 2 * smallest)
        let shape: Shape = [side, side, channels]
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(architecture, input: shape, trainable: .none, layout: &layout)
        let context = Context(parameters: try ParameterStore(layout), workers: Workers(), random: RandomGenerator(seed: 0))
        _ = try load(into: context.parameters, preprocessing: preprocessing)
        try context.workspace.reserve(
            bytes: encoder.encodeBytes(frames: 1) + encoder.scratchBytes(workers: context.workers.count, gradients: false) + 1 << 16)
        try encoder.reserveFilters(gradients: false, context)
        let input = try Buffer(allocating: shape.count)
        let output = try Buffer(allocating: encoder.outputShape.count)
        PixelConversion.convert(
            floats: ImportedWeights.picture(side: side, channels: channels), rule: Preprocessing(preprocessing, channels: channels),
            into: input.tensor(shape.prepending(1)), workers: context.workers)
        let features = output.tensor(encoder.outputShape.prepending(1))
        encoder.encode(frames: input.tensor(shape.prepending(1)), into: features, context)
        let values = UnsafeBufferPointer(start: features.base, count: features.count)
        guard values.allSatisfy(\.isFinite) else {
            throw VidclassError.file(
                source, "its features of a test picture are not finite numbers; the file is damaged, or its training has diverged")
        }
        let largest = values.max() ?? 0
        if largest <= 0 {
            return "\(source.printable): its features of a test picture are all zero. Does the file hold trained weights?"
        }
        if largest > ImportedWeights.enormous {
            return "\(source.printable): its features of a test picture reach \(largest); those of weights trained on ImageNet stay below "
                + "1000. Does the file hold trained weights of this kind?"
        }
        return nil
    }

    /// Waves of another length in each channel, and a chequered pattern: (channels, rows, columns) with values from 0 to 255.
    private static func picture(side: Int, channels: Int) -> [Float] {
        (0..<channels * side * side).map { place in
            let (channel, row, column) = (place / (side * side) % 3, place / side % side, place % side)
            let waves =
                sin(6 * .pi * Double((1 + channel) * row) / Double(side)) * cos(4 * .pi * Double((3 - channel) * column) / Double(side))
            let field = (row / 8 + column / 8) % 2 == 0 ? 30.0 : -30.0
            return Float(min(255, max(0, 128 + 90 * waves + field)))
        }
    }
}
