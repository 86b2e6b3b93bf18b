import VidSystem

extension RunConfiguration {
    /// Checks the rules that involve several keys; each fault names the key to change.
    func check() throws(ConfigurationFault) {
        try checkNetwork()
        if let cnn = model.cnn { try checkTrainable(cnn.trainable, of: cnn, ConfigurationPath("model", "cnn", "trainable")) }
        try checkVectors()
        try checkPoolingOverTime()
        try checkStages()
        try checkAudio()
        if training.shards > training.batchSize {
            throw ConfigurationFault(
                ConfigurationPath("training", "shards"),
                "\(training.shards) shards of a batch of \(training.batchSize) clips leave some without clips; use at most training.batch_size"
            )
        }
        if optimizer.type == .sgd, optimizer.nesterov, optimizer.momentum == 0 {
            throw ConfigurationFault(
                ConfigurationPath("optimizer", "nesterov"),
                "Nesterov's momentum needs a momentum above 0; add one, such as \(ShellText.setting("optimizer.momentum", "0.9"))")
        }
        if data.validationSplit + data.testSplit >= 1 {
            throw ConfigurationFault(
                ConfigurationPath("data", data.testSplit > 0 ? "test_split" : "validation_split"),
                "validation_split \(data.validationSplit) and test_split \(data.testSplit) leave no clips to train on; their sum must be below 1"
            )
        }
    }

    private func checkNetwork() throws(ConfigurationFault) {
        guard let cnn = model.cnn else { return }
        guard model.input.features == nil else {
            throw ConfigurationFault(
                ConfigurationPath("model", "cnn"),
                "a CNN takes frames of pixels, but model.input.features describes vectors; add \"cnn\": null to model, or "
                    + ShellText.setting("model.cnn", "null"))
        }
        if cnn.weights == "imagenet", cnn.architecture.name == nil {
            throw ConfigurationFault(
                ConfigurationPath("model", "cnn", "weights"),
                "\"imagenet\" weights exist for the named architectures only; set weights to null or to the path of a file")
        }
        let input = model.input
        do throws(VidclassError) {
            _ = try cnn.architecture.output(MapSize(rows: input.rows, columns: input.columns, channels: input.channels))
        } catch {
            let smallest = cnn.architecture.smallestSide ?? 0
            let name = cnn.architecture.name ?? "this cnn"
            for (key, size) in [("rows", input.rows), ("columns", input.columns)] where size < smallest {
                throw ConfigurationFault(
                    ConfigurationPath("model", "input", key),
                    "\(size) \(key) are too few for \(name) (\(error.message)); expected at least \(smallest)")
            }
            throw ConfigurationFault(ConfigurationPath("model", "cnn", "architecture"), error.message)
        }
    }

    /// Refuses settings that change pixels where clips are vectors.
    private func checkVectors() throws(ConfigurationFault) {
        let (names, features) = (data.featureNames.count, model.input.features ?? 0)
        guard names == 0 || names == features else {
            throw ConfigurationFault(
                ConfigurationPath("data", "feature_names"),
                features == 0
                    ? "names features of vectors, but model.input describes frames of pixels; remove this key"
                    : "expected \(features) names, one for each of model.input.features, found \(names)")
        }
        guard model.input.features != nil else { return }
        if data.preprocessing != .none {
            throw ConfigurationFault(
                ConfigurationPath("data", "preprocessing"),
                "\"\(data.preprocessing.rawValue)\" is for pixels, but model.input.features describes vectors, which model.input.standardize"
                    + " scales; remove this key or set it to \"none\"")
        }
        if let key = augmentation.pixelKey {
            throw ConfigurationFault(
                ConfigurationPath((["augmentation"] + key.split(separator: ".").map(String.init)).map { .key($0) }),
                "changes pixels, but model.input.features describes vectors; remove this key"
                    + " (frame_drop, time_reverse and mixup go with vectors)")
        }
    }

    private func checkPoolingOverTime() throws(ConfigurationFault) {
        guard model.poolingOverTime == .flatten, model.hasFinalState else { return }
        throw ConfigurationFault(
            ConfigurationPath("model", "pooling_over_time"),
            "an lstm or gru in model.recurrent gives its final state, so there are no frames to flatten; remove this key, or remove the lstm and gru"
        )
    }

    private func checkTrainable(_ trainable: Trainable, of cnn: CNNConfiguration, _ path: ConfigurationPath) throws(ConfigurationFault) {
        guard case .from(let name) = trainable else { return }
        let names = cnn.architecture.trainedNames
        guard names.contains(name) else {
            let hint = nearestWord(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
            throw ConfigurationFault(
                path,
                "expected true, false or one of \(quotedList(Array(names.prefix(20))))\(names.count > 20 ? " and so on" : ""), found "
                    + "\(JSONNode.string(name).brief)\(hint)")
        }
    }

    /// Only the last stage may omit its epochs, and at least one epoch must remain for it.
    private func checkStages() throws(ConfigurationFault) {
        var before = 0
        for (index, stage) in stages.enumerated() {
            let path = ConfigurationPath("stages").appending(index)
            if let trainable = stage.trainable {
                guard let cnn = model.cnn else {
                    throw ConfigurationFault(
                        path.appending("trainable"), "model.cnn is null, so there is no CNN to freeze or train; remove this key")
                }
                try checkTrainable(trainable, of: cnn, path.appending("trainable"))
            }
            if index < stages.count - 1 {
                guard let epochs = stage.epochs else {
                    throw ConfigurationFault(path.appending("epochs"), "only the last stage may omit its epochs")
                }
                before += epochs
            }
        }
        guard let last = stages.last else { return }
        let path = ConfigurationPath("stages").appending(stages.count - 1).appending("epochs")
        if let epochs = last.epochs, before + epochs != training.epochs {
            throw ConfigurationFault(
                path,
                "the stages have \(before + epochs) epochs, but training.epochs is \(training.epochs); expected the same number"
                    + " (omit the last stage's epochs to give it the rest)")
        }
        guard before < training.epochs else {
            throw ConfigurationFault(
                path,
                "the stages before it use \(before) of the \(training.epochs) epochs (training.epochs); expected at least one epoch for the last stage"
            )
        }
    }

    private func checkAudio() throws(ConfigurationFault) {
        let audio = data.audio
        let highest = audio.maximumFrequency ?? Double(audio.sampleRate) / 2
        guard highest <= Double(audio.sampleRate) / 2 else {
            throw ConfigurationFault(
                ConfigurationPath("data", "audio", "fmax"),
                "\(highest) Hz is more than half the sample_rate of \(audio.sampleRate); expected at most \(Double(audio.sampleRate) / 2)")
        }
        guard audio.minimumFrequency < highest else {
            throw ConfigurationFault(
                ConfigurationPath("data", "audio", "fmin"), "\(audio.minimumFrequency) Hz is not below the highest, \(highest)")
        }
    }
}
