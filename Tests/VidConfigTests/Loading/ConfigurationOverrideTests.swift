import Testing
import VidConfig
import VidSystem

@Suite("Overrides")
struct ConfigurationOverrideTests {
    private func load(_ json: String = "{}", _ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration(json: json, source: "c.json", overrides: overrides)
    }

    @Test("Values are JSON or bare words")
    func values() throws {
        let configuration = try load(
            "{}", "training.epochs=3", "data.path=my clips/a=b", "optimizer.learning_rate=1e-3", "training.shuffle=false",
            "model.cnn.weights=null", "model.cnn.trainable=block4_conv2", "output.name=\"7\"", "data.preprocessing=torch", "model.hidden=[]"
        )
        #expect(configuration.training.epochs == 3)
        #expect(configuration.data.path == "my clips/a=b")
        #expect(configuration.optimizer.learningRate == 1e-3)
        #expect(!configuration.training.shuffle)
        #expect(configuration.model.cnn?.weights == nil)
        #expect(configuration.model.cnn?.trainable == .from("block4_conv2"))
        #expect(configuration.output.name == "7")
        #expect(configuration.data.preprocessing == .torch)
        #expect(configuration.model.hidden == [])
    }

    @Test("The override wins over the file, the later over the earlier")
    func order() throws {
        let configuration = try load(#"{"training": {"epochs": 5, "batch_size": 4}}"#, "training.epochs=6", "training.epochs=7")
        #expect(configuration.training.epochs == 7)
        #expect(configuration.training.batchSize == 4)
    }

    @Test("Elements of arrays, of the file's and of the defaults")
    func elements() throws {
        #expect(try load("{}", "model.recurrent.0.units=64").model.recurrent == [.lstm(RecurrentOptions(units: 64))])
        #expect(try load("{}", "model.hidden.0.units=9").model.hidden == [.dense(DenseOptions(units: 9))])
        let file = #"{"model": {"recurrent": [{"type": "gru"}, {"type": "lstm", "units": 3}]}}"#
        #expect(
            try load(file, "model.recurrent.1.units=4").model.recurrent == [.gru(RecurrentOptions()), .lstm(RecurrentOptions(units: 4))])
        #expect(
            try load(file, "model.recurrent.1={\"type\": \"gru\"}").model.recurrent == [.gru(RecurrentOptions()), .gru(RecurrentOptions())])
        // The keys of the old type are left out.
        var attention = AttentionOptions()
        attention.numHeads = 2
        #expect(
            try load(file, "model.recurrent.1.type=attention", "model.recurrent.1.num_heads=2").model.recurrent == [
                .gru(RecurrentOptions()), .attention(attention),
            ])
        let blocks = #"{"model": {"cnn": {"architecture": {"blocks": [[8], [8]]}, "weights": null}}}"#
        #expect(try load(blocks, "model.cnn.architecture.blocks.1.0=16").model.cnn?.architecture == .blocks([[8], [16]]))
        #expect(try load(blocks, "model.cnn.architecture.blocks.2=[4]").model.cnn?.architecture == .blocks([[8], [8], [4]]))
    }

    @Test("One past the end appends")
    func appending() throws {
        let configuration = try load("{}", "model.hidden.1.rate=0.25", "model.hidden.1.type=dropout")
        #expect(configuration.model.hidden == [.dense(DenseOptions()), .dropout(rate: 0.25)])
        #expect(try load(#"{"model": {"hidden": []}}"#, "model.hidden.0.type=dropout").model.hidden == [.dropout(rate: 0.5)])
    }

    @Test("Another type passes over the settings the file gave for the former")
    func changedType() throws {
        let file = #"{"optimizer": {"type": "nadam", "learning_rate": 0.5, "beta_1": 0.8}}"#
        var expected = OptimizerConfiguration(type: .sgd)
        expected.learningRate = 0.5
        expected.momentum = 0.9
        #expect(try load(file, "optimizer.type=sgd", "optimizer.momentum=0.9").optimizer == expected)
        #expect(try load("{}", "model.hidden.0.type=dropout").model.hidden == [.dropout(rate: 0.5)])
        expect(
            #"--set optimizer.beta_2=0.5: optimizer.beta_2: does not belong to "sgd", only to "nadam", "adam". "#
                + #"The keys of "sgd" are type, learning_rate, momentum, nesterov, clip_norm, weight_decay, exclude_from_weight_decay, gradient_accumulation_steps"#,
            .badData
        ) { try load(file, "optimizer.type=sgd", "optimizer.beta_2=0.5") }
    }

    @Test("A named architecture gives way to blocks")
    func blocks() throws {
        let file = #"{"model": {"cnn": {"architecture": "vgg16", "weights": null}}}"#
        #expect(try load(file, "model.cnn.architecture.blocks=[[8],[8]]").model.cnn?.architecture == .blocks([[8], [8]]))
        #expect(try load("{}", "model.cnn.architecture.blocks=[[8]]", "model.cnn.weights=null").model.cnn?.architecture == .blocks([[8]]))
    }

    static let refused: [([String], VidclassError.Kind, String)] = [
        (["epochs"], .usage, "--set epochs: expected KEY=VALUE, such as training.epochs=3"),
        (["=3"], .usage, "--set =3: expected KEY=VALUE, such as training.epochs=3"),
        (["training..epochs=3"], .usage, "--set training..epochs=3: the key has an empty part; expected a key such as training.epochs"),
        (
            ["model.hidden=[{]"], .usage,
            "--set model.hidden=[{]: model.hidden: the value is not valid JSON: expected a key in double quotes or '}', found ']'"
        ),
        (
            ["training.epochs=0"], .badData,
            "--set training.epochs=0: training.epochs: expected an integer from 1 to 1000000, found 0"
        ),
        (
            ["seed=2", "training.epochs=many"], .badData,
            #"--set training.epochs=many: training.epochs: expected an integer from 1 to 1000000, found the string "many""#
        ),
        (
            ["training.epochs="], .badData,
            #"--set training.epochs=: training.epochs: expected an integer from 1 to 1000000, found the string """#
        ),
        (
            ["training.epoch=3"], .badData,
            #"--set training.epoch=3: training.epoch: unknown key; did you mean "epochs"? The keys here are epochs, batch_size, shards, shuffle, memory_gib, label_smoothing, class_weights, balanced_sampling, monitor, mode, target, early_stopping, reduce_lr_on_plateau, learning_rate_schedule, max_minutes, save_every_minutes, save_every_epochs"#
        ),
        (
            ["trainign.epochs=3"], .badData,
            #"--set trainign.epochs=3: trainign: unknown key; did you mean "training"? The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"#
        ),
        (
            ["model.recurrent.units=3"], .badData,
            "--set model.recurrent.units=3: model.recurrent.units: model.recurrent is an array; "
                + "expected the index of an element, as in model.recurrent.0.units"
        ),
        (
            ["model.recurrent.2.units=3"], .badData,
            "--set model.recurrent.2.units=3: model.recurrent.2.units: model.recurrent has 1 element; "
                + "expected an index from 0 to 1 (1 appends an element)"
        ),
        (
            ["model.recurrent.-1.units=3"], .badData,
            "--set model.recurrent.-1.units=3: model.recurrent.-1.units: model.recurrent has 1 element; "
                + "expected an index from 0 to 1 (1 appends an element)"
        ),
        (
            ["training.0=3"], .badData,
            "--set training.0=3: training.0: training is an empty object, not an array with an element 0"
        ),
        (["0=3"], .badData, "--set 0=3: 0: the configuration is an empty object, not an array with an element 0"),
        (["seed.x=3"], .badData, "--set seed.x=3: seed: expected an integer from 0 to 9223372036854775807, found an object"),
        (
            ["model.hidden.1.units=3"], .badData,
            #"--set model.hidden.1.units=3: model.hidden.1: the key "type" is missing; it takes one of "dense", "dropout", "layer_normalization", "batch_normalization""#
        ),
        (
            ["model.input.rows=16"], .badData,
            "--set model.input.rows=16: model.input.rows: 16 rows are too few for vgg16 (layer block5_pool: its window has 2 rows, more than "
                + "maps of 1x14x512 have); expected at least 32"
        ),
        (
            ["optimizer.momentum=0.5"], .badData,
            #"--set optimizer.momentum=0.5: optimizer.momentum: does not belong to "nadam", only to "sgd". "#
                + #"The keys of "nadam" are type, learning_rate, beta_1, beta_2, epsilon, schedule_decay, clip_norm, weight_decay, exclude_from_weight_decay, gradient_accumulation_steps"#
        ),
    ]

    @Test("Errors name the override", arguments: refused)
    func errors(overrides: [String], kind: VidclassError.Kind, message: String) {
        expect(message, kind) {
            try RunConfiguration(json: "{}", source: "c.json", overrides: overrides)
        }
    }

    @Test("Errors in the file still name the file")
    func errorsOfTheFile() {
        expect("c.json:1:10: seed: expected an integer from 0 to 9223372036854775807, found -1", .badData) {
            try load(#"{"seed": -1}"#, "training.epochs=3")
        }
        expect("c.json:1:1: expected an object, found an empty array", .badData) {
            try load("[]", "training.epochs=3")
        }
    }
}
