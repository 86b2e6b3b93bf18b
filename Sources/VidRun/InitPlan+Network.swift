import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem

// The choice of the network.

extension InitPlan {
    mutating func chooseVectorNetwork() {
        configuration.model.recurrent = [.lstm(RecurrentOptions(units: 64))]
        configuration.model.hidden = [.dense(DenseOptions(units: 64)), .dropout(rate: 0.5)]
        choose("model.cnn", "null", "vectors need no CNN")
        choose("model.recurrent", "lstm of 64", "the features are standardized already")
    }

    /// Whether a small CNN is to be trained: the frames are too small, or have the wrong channels, for ImageNet's weights.
    var isSmall: Bool {
        let input = configuration.model.input
        return startsFromScratch || input.channels != 3 || min(input.rows, input.columns) < 64
    }

    mutating func chooseSmallNetwork() {
        let input = configuration.model.input
        let all = [[16], [32], [64], [128]]
        let least = min(input.rows, input.columns)
        // Each block halves the maps. Those of the last one have four rows and columns at least, if there is more than one block.
        let count = (1...all.count).last { least >> $0 >= 4 } ?? 1
        let blocks = least < 2 ? [] : Array(all.prefix(count))
        var cnn = CNNConfiguration()
        cnn.architecture = .blocks(blocks)
        cnn.weights = nil
        cnn.trainable = .all
        cnn.pooling = .flatten
        configuration.model.cnn = cnn
        configuration.model.recurrent = [.batchNormalization(InitPlan.normalization), .lstm(RecurrentOptions(units: 64))]
        configuration.model.hidden = [.dense(DenseOptions(units: 64))]
        choose(
            "model.cnn", "\(blocks.count) small blocks, from scratch",
            startsFromScratch
                ? "as asked for with --from-scratch; it needs more clips than VGG16 with ImageNet's weights"
                : input.channels == 3
                    ? "frames of \(input.columns)x\(input.rows) are too small for VGG16"
                    : "ImageNet's weights are for colour; these clips have \(Formatting.count(input.channels, "channel"))")
        choose("model.recurrent", "batch_normalization, lstm of 64", "a small network for small frames")
        let areFloats = report.facts.contains { $0.coding == ClipElement.float32.name }
        configuration.data.preprocessing = areFloats && material == .packed ? .none : .symmetric
        choose(
            "data.preprocessing", configuration.data.preprocessing.rawValue,
            areFloats && material == .packed ? "floats are used as they are" : "the usual choice without pretrained weights")
    }

    /// Small networks that may take VGG16's place, the preferred one first.
    private static let light: [NamedArchitecture] = [
        .efficientnetLite0, .mobilenetV2, .mobilenetV2Keras, .resnet18, .resnet34, .resnet50, .resnet50Keras,
    ]

    /// The seconds that VGG16 may take before a small network is preferred.
    private static let patience = 3600.0

    /// The preprocessing of a network's ImageNet weights and their path; nil if they are not on this machine or cannot be used.
    private func weights(_ network: NamedArchitecture) async -> (preprocessing: PreprocessingName, path: String)? {
        guard let path = try? runtime.weights.find("imagenet", .named(network)),
            let weights = try? await runtime.weights.read(path, .named(network))
        else { return nil }
        return (weights.preprocessing, path)
    }

    /// The seconds that the frames of all clips take through a network; nil if they cannot be measured.
    private func seconds(_ network: NamedArchitecture, side: Int? = nil) -> Double? {
        let input = configuration.model.input
        return speed.secondsPerFrame(network, rows: side ?? input.rows, columns: side ?? input.columns)
            .map { $0 * Double(report.clips.count * input.frames) }
    }

    mutating func choosePretrainedNetwork() async {
        var (network, other) = (NamedArchitecture.vgg16, InitPlan.light[0])
        var found = await weights(network)
        let isSlow = seconds(network).map { $0 > InitPlan.patience } ?? false
        if isSlow || found == nil {
            for light in InitPlan.light {
                guard let own = await weights(light) else { continue }
                (network, other, found) = (light, network, own)
                break
            }
        } else if let light = InitPlan.light.first(where: { (try? runtime.weights.find("imagenet", .named($0))) != nil }) {
            other = light
        }
        var because = "already trained on ImageNet"
        if let found {
            because += "; its weights are in \(found.path.printable)"
        } else if let path = try? runtime.weights.find("imagenet", .named(network)) {
            because += "; the file of its weights cannot be used"
            preparations.append(Step(sentence: "Remove this damaged file of weights: \(path.printable)", command: nil))
        } else {
            because += "; its weights are not on this machine yet"
        }
        if found == nil {
            preparations.append(
                Step(sentence: "Download the ImageNet weights, once:", command: ShellText.vidclass("weights", "fetch", network.rawValue)))
        }
        because += times(network, other, saysHow: isSlow)
        configuration.model.cnn = CNNConfiguration()
        configuration.model.cnn?.architecture = .named(network)
        configuration.data.preprocessing = found?.preprocessing ?? .caffe
        choose("model.cnn", "\(network.rawValue), imagenet, frozen", because)
        choose("data.preprocessing", configuration.data.preprocessing.rawValue, "these weights need it")
        shrinkForSpeed(network)
        let units = training.count < 500 ? 256 : 1024
        configuration.model.recurrent = [.batchNormalization(InitPlan.normalization), .lstm(RecurrentOptions(units: 256))]
        configuration.model.hidden = [.dense(DenseOptions(units: units)), .dropout(rate: 0.5)]
        choose("model.recurrent", "batch_normalization, lstm of 256", "the CNN's features are normalised first")
        choose(
            "model.hidden", "dense of \(units), dropout 0.5",
            training.count < 500
                ? "\(Formatting.count(training.count, "training clip")): a larger layer would just memorise them"
                : "\(Formatting.count(training.count, "training clip"))")
    }

    /// A sentence with the measured times of the chosen network and of `other`.
    ///
    /// - Parameter saysHow: whether to say how to get the weights of `other`, if they are not there.
    private func times(_ network: NamedArchitecture, _ other: NamedArchitecture, saysHow: Bool) -> String {
        guard let own = seconds(network) else { return "" }
        let input = configuration.model.input
        var text = "; as measured, all clips take some \(Formatting.time(own)) through it at \(input.columns) x \(input.rows)"
        guard let rival = seconds(other) else { return text }
        text += ", and \(Formatting.time(rival)) through \(other.rawValue)"
        if network == .vgg16, saysHow {
            text += " (`\(ShellText.vidclass("weights", "fetch", other.rawValue))` tells how to get its weights)"
        }
        return text
    }

    /// Halves the frames' size until the network encodes all videos in two hours.
    private mutating func shrinkForSpeed(_ network: NamedArchitecture) {
        let side = configuration.model.input.rows
        guard material == .videos, let whole = seconds(network) else { return }
        func hours(_ chosen: Int) -> Double { whole / 3600 * Double(chosen * chosen) / Double(side * side) }
        var chosen = side
        while hours(chosen) > 2, chosen > 64 { chosen = max(64, chosen / 2 / 32 * 32) }
        guard chosen < side else { return }
        configuration.model.input.rows = chosen
        configuration.model.input.columns = chosen
        choose(
            "model.input", "3 x \(chosen) x \(chosen)",
            "encoding all clips takes some \(Formatting.fixed(hours(chosen), 1)) hours on this machine, instead of "
                + "\(Formatting.fixed(hours(side), 0)) at \(side) x \(side)")
    }
}
