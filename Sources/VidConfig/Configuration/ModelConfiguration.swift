/// The network: frames -> CNN on every frame -> recurrent layers over the frames -> hidden layers -> softmax.
package struct ModelConfiguration: ConfigurationSection {
    package var input = InputConfiguration()
    package var cnn = CNNConfiguration()
    /// Layers over time, then over the final state where an lstm or gru gives one (`finalStateIndex`); if none does, the mean over
    /// time follows.
    package var recurrent: [RecurrentLayerConfiguration] = [.lstm(RecurrentOptions())]
    /// Layers between the clip's vector and the softmax over the classes.
    package var hidden: [HiddenLayerConfiguration] = [.dense(DenseOptions())]

    package init() {}
}

/// The size of a clip as the network sees it.
package struct InputConfiguration: ConfigurationSection {
    package var frames = 16
    package var channels = 3
    package var rows = 224
    package var columns = 224

    package init() {}
}

extension ModelConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("input", \.input, InputConfiguration.codec, "The size of a clip as the network sees it."),
        .init("cnn", \.cnn, CNNConfiguration.codec, "The convolutional network applied to each frame."),
        .init(
            "recurrent", \.recurrent, .list(of: RecurrentLayerConfiguration.codec, "an array of layers"),
            "Layers over the frames. The last lstm or gru returns its final state, unless a conv1d or attention follows it;"
                + " without a final state, the mean over the frames follows."),
        .init(
            "hidden", \.hidden, .list(of: HiddenLayerConfiguration.codec, "an array of layers"),
            "Layers between the recurrent layers and the softmax over the classes."),
    ]
}

extension InputConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("frames", \.frames, .integer(1...65536), "Frames sampled from each clip."),
        .init("channels", \.channels, .integer(1...64), "3 for colour, 1 for grey video and spectrograms."),
        .init("rows", \.rows, .integer(1...16384), "Height of a frame in pixels."),
        .init("columns", \.columns, .integer(1...16384), "Width of a frame in pixels."),
    ]
}
