internal import FoundationEssentials
internal import VidConfig
internal import VidSystem

/// The configuration of a training: the model, the data, the optimizer and everything else that a run depends on.
///
/// It is the configuration of the program `vidclass`, a JSON document with the words of Keras. The reference in the documentation of the
/// program describes every key; its JSON schema is `Configs/schema.json`. Values are checked as soon as they are set.
///
/// ```swift
/// let configuration = try Configuration()
///     .setting("data.path", to: "videos")
///     .setting("training.epochs", to: 20)
///     .setting("model.cnn.architecture", to: "vgg16")
/// ```
public struct Configuration: Sendable {
    let run: RunConfiguration

    init(_ run: RunConfiguration) { self.run = run }

    /// The defaults: VGG16 with ImageNet weights on 16 frames of 224 x 224 pixels, LSTM(256), Dense(1024), Nadam, 20 epochs.
    public init() { run = RunConfiguration() }

    /// The configuration in a JSON document. Keys that it lacks have their defaults.
    ///
    /// - Parameters:
    ///   - json: the document, such as `{"data": {"path": "videos"}}`.
    ///   - settings: values that replace those of the document, each as `KEY=VALUE`, such as `training.epochs=3`.
    /// - Throws: ``VidClassError`` with ``VidClassError/Code/badData`` and the line for unknown keys and bad values, `.usage` for a bad
    ///   setting.
    public init(json: String, settings: [String] = []) throws {
        run = try VidClassError.translating {
            try RunConfiguration(json: json, source: "the configuration", overrides: settings)
        }
    }

    /// The configuration in the file at `path`; see ``init(json:settings:)``.
    ///
    /// - Throws: the same, and `.missingInput` or `.inputOutput` if the file cannot be read.
    public init(contentsOf path: String, settings: [String] = []) throws {
        run = try VidClassError.translating { try RunConfiguration.load(path: path, overrides: settings) }
    }

    /// A copy with another value at `key`.
    ///
    /// - Parameters:
    ///   - key: the path of a value, such as `training.epochs` or `model.recurrent.0.units`.
    ///   - value: a string, a number, a Boolean, nil, or an array or struct of these.
    /// - Throws: ``VidClassError`` with `.badData` for an unknown key or a bad value.
    public func setting(_ key: String, to value: some Encodable) throws -> Configuration {
        try VidClassError.translating {
            let text = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
            return Configuration(try RunConfiguration(run.json, source: "the configuration", overrides: [key + "=" + text]))
        }
    }

    /// The whole configuration as JSON, defaults included.
    public var json: String { run.text }

    /// The clips as the model sees them.
    public var input: InputShape {
        let input = run.model.input
        return InputShape(input.frames, input.channels, input.rows, input.columns, isVectors: input.features != nil)
    }

    /// Where the labelled clips are (`data.path`).
    public var data: String { run.data.path }
}
