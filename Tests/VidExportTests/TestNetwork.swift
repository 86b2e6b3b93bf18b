import VidConfig
import VidExport
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// A network whose parameters are the numbers 1, 2, 3, ... / 64, so that each tells where it comes from.
struct TestNetwork {
    let classifier: Classifier
    let exported: ExportedNetwork

    /// - Parameter json: of the `model` section and, with `data`, of the `data` section.
    init(_ json: String, data: String = #"{"preprocessing": "caffe"}"#, classes: [String] = ["left", "right"]) throws {
        let configuration = try RunConfiguration(json: #"{"model": \#(json), "data": \#(data)}"#, source: "a test")
        classifier = try Classifier(configuration.model, classes: classes)
        var next: Float = 0
        for slice in classifier.parameters.slices {
            let tensor = classifier.parameters.value(slice)
            for index in 0..<tensor.count {
                next += 1
                tensor.base[index] = next / 64
            }
        }
        exported = try ExportedNetwork(classifier, configuration, checkpoint: "0123")
    }

    /// The values of the parameter `name`.
    func values(_ name: String) throws -> [Float] {
        guard let slice = classifier.parameters.slice(named: name) else { throw VidclassError(.other, "no parameter \(name)") }
        return classifier.parameters.value(slice).array
    }

    /// A small CNN, then `recurrent`, over frames of 6 x 5.
    static func model(_ recurrent: String = #"{"type": "lstm", "units": 2}"#) -> String {
        """
        {"input": {"frames": 3, "channels": 3, "rows": 6, "columns": 5},
         "cnn": {"architecture": {"layers": [
            {"type": "conv2d", "name": "first", "filters": 4, "strides": 2, "activation": "relu"},
            {"type": "residual", "name": "sum", "activation": "relu",
             "layers": [{"type": "conv2d", "name": "inner", "filters": 4, "use_bias": false},
                        {"type": "batch_normalization", "name": "norm"}],
             "shortcut": [{"type": "conv2d", "name": "short", "filters": 4, "kernel": 1}]},
            {"type": "depthwise_conv2d", "name": "deep", "padding": "symmetric"}]},
          "weights": null, "trainable": true},
         "recurrent": [\(recurrent)], "hidden": [{"type": "dense", "units": 3, "activation": "hard_sigmoid"}]}
        """
    }
}

/// The block `index` of `count` equal blocks of each row of a matrix with rows of `width`.
func columns(_ matrix: [Float], width: Int, block index: Int, of count: Int) -> [[Float]] {
    let size = width / count
    return stride(from: 0, to: matrix.count, by: width).map { Array(matrix[$0 + index * size..<$0 + (index + 1) * size]) }
}

/// The `VidclassError` that `body` throws.
func failure(_ body: () throws -> Void) -> VidclassError? {
    do { try body() } catch { return error as? VidclassError }
    return nil
}
