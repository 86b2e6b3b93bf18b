import VidTensor

/// A line of the table of layers.
package struct LayerSummary: Sendable, Equatable {
    /// Keras's name, such as `block1_conv1`.
    package let name: String
    /// The kind of layer as Keras calls it, such as `Conv2D`.
    package let type: String
    /// Of one sample: a frame for the CNN, a clip for the head.
    package let outputShape: Shape
    package let parameters: Int
    package let isTrainable: Bool

    package init(name: String, type: String, outputShape: Shape, parameters: Int, isTrainable: Bool) {
        self.name = name
        self.type = type
        self.outputShape = outputShape
        self.parameters = parameters
        self.isTrainable = isTrainable
    }
}
