import VidSystem

extension RunConfiguration {
    /// Checks the rules that involve several keys; each fault names the key to change.
    func check() throws(ConfigurationFault) {
        try checkNetwork()
        try checkTrainable(model.cnn.trainable, ConfigurationPath("model", "cnn", "trainable"))
        try checkStages()
        try checkAudio()
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
        let cnn = model.cnn
        if cnn.weights == "imagenet", cnn.architecture != .vgg16, cnn.architecture != .vgg19 {
            throw ConfigurationFault(
                ConfigurationPath("model", "cnn", "weights"),
                "\"imagenet\" weights exist for vgg16 and vgg19 only, not for \(cnn.architecture.name ?? "custom blocks");"
                    + " set weights to null or to the path of a file")
        }
        let blocks = cnn.architecture.filters.count
        for (key, size) in [("rows", model.input.rows), ("columns", model.input.columns)] where size >> blocks == 0 {
            throw ConfigurationFault(
                ConfigurationPath("model", "input", key),
                "\(size) \(key) are too few, because each of the \(blocks) blocks of \(cnn.architecture.name ?? "the cnn") halves them;"
                    + " expected at least \(blocks < 62 ? "\(1 << blocks)" : "2^\(blocks)")")
        }
    }

    private func checkTrainable(_ trainable: Trainable, _ path: ConfigurationPath) throws(ConfigurationFault) {
        guard case .from(let name) = trainable else { return }
        let names = model.cnn.architecture.convolutionNames
        guard names.contains(name) else {
            let hint = nearestWord(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
            throw ConfigurationFault(
                path, "expected true, false or one of \(quotedList(names)), found \(JSONNode.string(name).brief)\(hint)")
        }
    }

    /// Only the last stage may omit its epochs, and at least one epoch must remain for it.
    private func checkStages() throws(ConfigurationFault) {
        var before = 0
        for (index, stage) in stages.enumerated() {
            let path = ConfigurationPath("stages").appending(index)
            if let trainable = stage.trainable { try checkTrainable(trainable, path.appending("trainable")) }
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
