/// The network: frames -> CNN on every frame -> recurrent layers over the frames -> hidden layers -> softmax.
package struct ModelConfiguration: Sendable, Equatable, Codable {
    package var input = InputConfiguration()
    package var cnn = CNNConfiguration()
    /// Layers over time; the last lstm or gru returns its final state. Without any, the mean over time is taken.
    package var recurrent: [RecurrentLayerConfiguration] = [.lstm(RecurrentOptions())]
    /// Layers between the clip's vector and the softmax over the classes.
    package var hidden: [HiddenLayerConfiguration] = [.dense(DenseOptions())]

    package init() {}
}

/// The size of a clip as the network sees it.
package struct InputConfiguration: Sendable, Equatable, Codable {
    package var frames = 16
    package var channels = 3
    package var rows = 224
    package var columns = 224

    package init() {}
}
