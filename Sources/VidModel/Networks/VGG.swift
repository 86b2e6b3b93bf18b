import VidConfig
import VidSystem
import VidTensor

/// The convolutional network of Simonyan and Zisserman ("Very deep convolutional networks for large-scale image
/// recognition", 2014) without its classifier, and smaller ones of the same kind: blocks of 3x3 same-padded convolutions
/// with ReLU, each block followed by a 2x2 max pooling. Layers have Keras's names: `block1_conv1` ... `block5_conv3`, `block1_pool` ...
package enum VGG {
    /// The layers for frames of shape `input` (rows, columns, channels). Registers their parameters below `prefix`.
    ///
    /// - Throws: `.badData` when the frames are too small for the poolings, a block is empty or has no filters, or `trainable`
    ///   names a layer that does not exist.
    package static func layers(
        _ architecture: Architecture, input: Shape, trainable: Trainable, convolution: ConvolutionChoice = .auto, prefix: String = "cnn",
        layout: inout ParameterLayout
    ) throws -> [any FrameLayer] {
        let blocks = architecture.filters
        try check(blocks, input: input)
        let firstTrainable = try firstTrainable(trainable, names: architecture.convolutionNames)
        var layers: [any FrameLayer] = []
        var channels = input[2]
        var index = 0
        let algorithm: Convolution.Algorithm? =
            switch convolution {
            case .auto: nil
            case .im2col: .im2col
            case .winograd: .winograd
            }
        for (block, filters) in blocks.enumerated() {
            for (place, count) in filters.enumerated() {
                layers.append(
                    Conv2D(
                        "block\(block + 1)_conv\(place + 1)", prefix: prefix, channels: channels, filters: count, relu: true,
                        trainable: index >= firstTrainable, algorithm: algorithm, layout: &layout))
                channels = count
                index += 1
            }
            layers.append(MaxPool2D("block\(block + 1)_pool"))
        }
        return layers
    }

    private static func check(_ blocks: [[Int]], input: Shape) throws {
        precondition(input.rank == 3, "expected frames of (rows, columns, channels), received \(input)")
        guard !blocks.isEmpty, blocks.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0 > 0 } }) else {
            throw VidclassError(
                .badData, "model.cnn.architecture: expected blocks of one or more positive numbers of filters, found \(blocks)")
        }
        let smallest = blocks.count < 30 ? 1 << blocks.count : Int.max
        guard input[0] >= smallest, input[1] >= smallest else {
            throw VidclassError(
                .badData,
                "model.input: frames of \(input[0])x\(input[1]) are too small for the CNN's \(blocks.count) poolings, which halve rows and "
                    + "columns each; expected at least \(smallest)x\(smallest)")
        }
    }

    /// The index of the first trained convolution among all convolutions.
    private static func firstTrainable(_ trainable: Trainable, names: [String]) throws -> Int {
        switch trainable {
        case .all: return 0
        case .none: return names.count
        case .from(let name):
            guard let index = names.firstIndex(of: name) else {
                throw VidclassError(
                    .badData, "model.cnn.trainable: no convolution is named \"\(name)\"; expected one of \(names.joined(separator: ", "))")
            }
            return index
        }
    }
}
