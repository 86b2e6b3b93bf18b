extension RunConfiguration {
    /// What spans several keys; each fault names the key to change.
    func check() throws(ConfigurationFault) {
        try checkNetwork()
        try checkRecurrentLayers()
        if optimizer.type == .sgd, optimizer.nesterov, optimizer.momentum == 0 {
            throw ConfigurationFault(
                ConfigurationPath("optimizer", "nesterov"),
                "Nesterov's momentum needs a momentum above 0; set optimizer.momentum, for example to 0.9")
        }
        if data.validationSplit + data.testSplit >= 1 {
            throw ConfigurationFault(
                ConfigurationPath("data", data.testSplit > 0 ? "test_split" : "validation_split"),
                "validation_split \(data.validationSplit) and test_split \(data.testSplit) leave no clips to train on; their sum must be below 1"
            )
        }
    }

    private func checkNetwork() throws(ConfigurationFault) {
        let cnn = model.cnn
        if cnn.weights == "imagenet", cnn.architecture != .vgg16, cnn.architecture != .vgg19 {
            throw ConfigurationFault(
                ConfigurationPath("model", "cnn", "weights"),
                "there are \"imagenet\" weights for vgg16 and vgg19 only, not for \(cnn.architecture.name ?? "custom blocks");"
                    + " set weights to null or to the path of a file")
        }
        if case .from(let name) = cnn.trainable {
            let names = cnn.architecture.convolutionNames
            guard names.contains(name) else {
                let hint = nearestWord(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
                throw ConfigurationFault(
                    ConfigurationPath("model", "cnn", "trainable"),
                    "expected true, false or one of \(quotedList(names)), found \(JSONNode.string(name).brief)\(hint)")
            }
        }
        let blocks = cnn.architecture.filters.count
        for (key, size) in [("rows", model.input.rows), ("columns", model.input.columns)] where size >> blocks == 0 {
            throw ConfigurationFault(
                ConfigurationPath("model", "input", key),
                "\(size) \(key) halved by each of the \(blocks) blocks of \(cnn.architecture.name ?? "the cnn") leave none;"
                    + " expected at least \(blocks < 62 ? "\(1 << blocks)" : "2^\(blocks)")")
        }
    }

    private func checkRecurrentLayers() throws(ConfigurationFault) {
        var hasState = false
        for (index, layer) in model.recurrent.enumerated() {
            switch layer {
            case .lstm, .gru: hasState = true
            case .batchNormalization:
                if hasState {
                    throw ConfigurationFault(
                        ConfigurationPath("model", "recurrent").appending(index).appending("type"),
                        "a batch_normalization may stand before the lstm and gru layers, not after one;"
                            + " after them it belongs to model.hidden")
                }
            }
        }
    }
}
